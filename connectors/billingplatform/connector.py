"""BillingPlatform as a Connector: pages along (time of change, Id), asked for with SQL.

Facts: vendors.md C1, E2, G1. Offset paging drifts while data change, so only first pages are ever asked for. Nothing
is published about a list of deleted records, nor about how long a commit trails its stamp.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from connectors.billingplatform.config import BillingPlatformConfig
from connectors.billingplatform.login import Door
from connectors.billingplatform.query import Queries
from connectors.billingplatform.statement import Select, Statement
from connectors.billingplatform.walk import Walk
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import MappingError
from connectors.mapping import Mapping
from connectors.watermark import look_back

LOOK_BACK_S = 600
_ENVELOPE = frozenset({"errorcode", "errortext", "errorelementfield"})


class BillingPlatform:
    """A Connector. One thread at a time; logs in at the first call."""

    def __init__(self, config: BillingPlatformConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._door = Door(config, clock)
        self._queries = Queries(self._door, config)
        self._walk = Walk(self._queries, config)
        double = next((mapped.name for mapped in mapping.objects.values() if len(mapped.key) != 1), None)
        if double is not None:
            raise MappingError(f"{double} has a key of several fields; a walk needs the one that is unique, the Id.")

    def source_time(self) -> datetime:
        self._config.retries.call(self._door.open, self._config.system)
        return self._door.wire.source_time()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        mapped = self._mapping.objects[name]
        select = self._select(name, mapped.fields)
        start = look_back(since, mapped.look_back_s, LOOK_BACK_S) if mapped.modified else None
        if start is None:
            # A record without a stamp can only be met in a full walk; it would be in no later one.
            unstamped = (f"{select.raw_stamp} IS NULL",) if mapped.modified else ()
            for records in self._walk.by_key(select, unstamped):
                yield Page(records, None)
        if mapped.modified:
            yield from self._walk.by_stamp(select, start)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Nothing: whether a query shows the recycle bin is not published. A `census` finds what is gone."""
        del name, since
        return iter(())

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        yield from self._walk.by_key(self._select(name, self._mapping.objects[name].census_fields))

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        select = self._select(name, self._mapping.objects[name].fields)
        yield from self._walk.having(select, select.key, keys)

    def fields(self, name: str) -> Sequence[SourceField]:
        """The fields that the newest record shows, since nothing describes an entity; all of them are text.

        Empty where there is no record. A field is spelled as the mapping spells it, where it does.
        """
        mapped = self._mapping.objects[name]
        spelled = {field.lower(): field for field in mapped.fields}
        key = mapped.key[0].path
        newest = Statement("", f"FROM {name}", key, marked=f"MAX({key})")
        last = next((row[newest.mark] for row in self._queries.rows(newest)), None)
        record = self._queries.retrieve(name, str(last)) if last else None
        shown = [field for field in record or () if field.lower() not in _ENVELOPE]
        return [SourceField(spelled.get(field.lower(), field), "text") for field in shown]

    def count(self, name: str) -> int | None:
        select = self._select(name, ())
        return self._queries.count(select.page((), select.key, 1))

    def limits(self) -> Sequence[Limit]:
        """None: the platform's limits are not published, and no answer tells of them."""
        return ()

    def close(self) -> None:
        self._door.close()

    def _select(self, name: str, fields: Sequence[str]) -> Select:
        return Select(self._mapping.objects[name], fields, self._config.time_zone)
