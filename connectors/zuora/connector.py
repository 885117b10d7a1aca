"""Zuora as a Connector: windows by UpdatedDate, read with ZOQL, with the records of other objects looked up.

Facts: vendors.md C2. ZOQL gives no order, so a window's position counts only once its last page is read: then
everything up to the latest stamp in it has been handed over. The last window has no end: a query sees the tenant
as it is when it is asked, whatever our clock says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors import telemetry
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import CursorLost, MappingError, PermanentError, SchemaChanged, UnknownRecord
from connectors.http import Wire
from connectors.mapping import Mapping, ObjectMapping
from connectors.retries import RetryPolicy
from connectors.tokens import Bearer
from connectors.watermark import look_back
from connectors.zuora.allowance import TOKEN_PATH, Allowance
from connectors.zuora.lookups import looked_up, own_fields
from connectors.zuora.zoql import MOST_CONDITIONS, Zoql, instant

LOOK_BACK_S = 600
# A locator is forgotten after 15 minutes without use; a window that loses it again and again is given up.
WINDOW_ATTEMPTS = 3


@dataclass(frozen=True)
class ZuoraConfig:
    """`base_url` is the data centre's, such as https://rest.na.zuora.com.

    A first load is one window, which starts over when it is interrupted. With `history_start` it is resumable:
    one window for all that is older, then one for every `window_days` from there on. `rate_share` is how much of the
    tenant's limits on requests may be used, by whomever, before Tieout waits: the rest is for other integrations.
    `run_field` is the field of an invoice that names the run which made it: no vendor page confirms it (vendors.md D).
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    system: str = "zuora"
    timeout_s: float = 130.0
    history_start: datetime | None = None
    window_days: int = 30
    rate_share: Decimal = Decimal("0.8")
    run_field: str = "SourceId"
    retries: RetryPolicy = field(default_factory=RetryPolicy)

    def __post_init__(self) -> None:
        if not (self.run_field.isascii() and self.run_field.isidentifier()):
            raise PermanentError(f"run_field of {self.system} must be the name of a field, not {self.run_field!r}.")
        if not 0 < self.rate_share <= 1:
            raise PermanentError(f"rate_share of {self.system} must be above 0 and at most 1, not {self.rate_share}.")


# The object whose records come from the API of bill runs, not from ZOQL.
RUN = "bill-run"


def connect(config: ZuoraConfig, allowance: Allowance, clock: Callable[[], datetime]) -> Bearer:
    """The tenant with its login (OAuth client credentials)."""
    form = {
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "grant_type": "client_credentials",
    }
    wire = Wire(config.system, config.base_url, clock, config.timeout_s, allowance)
    return Bearer(wire, TOKEN_PATH, lambda: form, clock)


class Zuora:
    """A Connector. One thread at a time; logs in at the first call."""

    def __init__(self, config: ZuoraConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._allowance = Allowance(config.system, config.rate_share, clock)
        self._bearer = connect(config, self._allowance, clock)
        self._zoql = Zoql(self._bearer, config.retries)
        for mapped in mapping.objects.values():
            if " or " in f" {mapped.filter.lower()} ":
                raise MappingError(f"The filter of {mapped.name} says 'or', which ZOQL cannot put in parentheses.")

    def source_time(self) -> datetime:
        self._config.retries.call(self._bearer.authorization, self._config.system)
        return self._bearer.wire.source_time()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        mapped = self._mapping.objects[name]
        if mapped.modified is None:
            yield from self._window(mapped, "", since)
            return
        stamp = mapped.modified.path
        for start, end in self._windows(look_back(since, mapped.look_back_s, LOOK_BACK_S)):
            bounds = [f"{stamp} >= {instant(start)}"] if start else []
            bounds += [f"{stamp} < {instant(end)}"] if end else []
            yield from self._window(mapped, " and ".join(bounds), Position(end) if end else since)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Nothing: Zuora keeps no list of what was deleted. A `census` finds it."""
        del name, since
        return iter(())

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        mapped = self._mapping.objects[name]
        text = _select(mapped, own_fields(mapped, mapped.census_fields), "")
        for records, _ in self._zoql.pages(text):
            if records:
                yield records

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        """Records by their key, at most 200 to a query; bill runs by id or number, one request each."""
        mapped = self._mapping.objects[name]
        if name == RUN:
            yield from ([run] for key in keys for run in self._run(key))
            return
        if len(mapped.key) != 1 or mapped.key[0].nested:
            raise PermanentError(f"{name} is not keyed by one field of its own, so its records cannot be asked for.")
        fields, key = own_fields(mapped, mapped.fields), mapped.key[0].path
        for start in range(0, len(keys), MOST_CONDITIONS):
            asked = keys[start : start + MOST_CONDITIONS]
            records = list(self._zoql.matching(mapped.name, fields, key, asked, mapped.filter))
            _check_spelling(self._config.system, mapped, records)
            if records:
                yield looked_up(self._zoql, mapped, records)

    def _run(self, key: str) -> Sequence[Record]:
        try:
            return [bill_run(self._zoql, key)]
        except UnknownRecord:
            return []

    def fields(self, name: str) -> Sequence[SourceField]:
        """The object's own fields, then those of the objects that are looked up, as `Name.field`.

        Nothing for bill runs, which Zuora describes under another name and with other fields.
        """
        if name == RUN:
            return []
        found = list(self._zoql.fields(name))
        for look_up in self._mapping.objects[name].look_ups:
            theirs = self._zoql.fields(look_up.object)
            found += [replace(one, name=f"{look_up.name}.{one.name}") for one in theirs]
        return found

    def count(self, name: str) -> int | None:
        """By the `size` of a query that hands over one record. None for bill runs, of which there is no list."""
        mapped = self._mapping.objects[name]
        return None if name == RUN else self._zoql.count(_select(mapped, ["Id"], ""))

    def limits(self) -> Sequence[Limit]:
        """Of the request windows only the one that is nearest to exhaustion: Zuora tells of no other."""
        name = next((name for name in self._mapping.objects if name != RUN), "Account")
        self._zoql.fields(name)
        return self._allowance.limits()

    def close(self) -> None:
        self._bearer.wire.close()

    def _windows(self, start: datetime | None) -> Iterator[tuple[datetime | None, datetime | None]]:
        edge = self._config.history_start
        if start is None and edge is not None:
            yield None, edge
            start = edge
        width = timedelta(days=self._config.window_days)
        while edge is not None and start is not None and start + width < self._clock():
            yield start, start + width
            start += width
        yield start, None

    def _window(self, mapped: ObjectMapping, where: str, reached: Position | None) -> Iterator[Page]:
        """The pages of one window; read again from its start when Zuora forgets the locator.

        `reached` is the position when the window is empty or has an end of its own.
        """
        text = _select(mapped, own_fields(mapped, mapped.fields), where)
        for attempt in range(1, WINDOW_ATTEMPTS + 1):
            try:
                yield from self._pages(mapped, text, reached)
                return
            except CursorLost:
                if attempt == WINDOW_ATTEMPTS:
                    raise

    def _pages(self, mapped: ObjectMapping, text: str, reached: Position | None) -> Iterator[Page]:
        stamp = mapped.modified.path if mapped.modified else None
        latest = reached.stamp if reached else None
        pages = self._zoql.pages(text)
        done = False

        def read() -> Sequence[Record]:
            nonlocal done
            records, done = next(pages)
            _check_spelling(self._config.system, mapped, records)
            return looked_up(self._zoql, mapped, records)

        while not done:
            records = telemetry.page(self._config.system, mapped.name, read)
            stamps = [_stamp(mapped, record, stamp) for record in records] if stamp else []
            latest = max([*stamps, *([latest] if latest else [])], default=None)
            last = Position(latest) if done and latest else None
            if records or last:
                yield Page(records, last)


def _stamp(mapped: ObjectMapping, record: Record, name: str) -> datetime:
    """In UTC; Zuora writes it at the tenant's offset, which summer time changes."""
    try:
        stamp = datetime.fromisoformat(record[name])
    except (KeyError, TypeError, ValueError):
        stamp = None
    if stamp is None or stamp.tzinfo is None:
        raise SchemaChanged(f"{mapped.name} {record.get('Id')} has no {name} with an offset, so no walk can go by it.")
    return stamp.astimezone(UTC)


def bill_run(zoql: Zoql, key: str) -> dict[str, Any]:
    """A bill run by id or number. Raises UnknownRecord."""
    if not key or not key.replace("-", "").isalnum() or not key.isascii():
        raise UnknownRecord(f"{key!r} is not the id or number of a bill run.")
    return zoql.call("GET", f"/v1/bill-runs/{key}")


def _select(mapped: ObjectMapping, fields: Sequence[str], where: str) -> str:
    conditions = " and ".join(part for part in (where, mapped.filter) if part)
    return f"select {', '.join(fields)} from {mapped.name}{f' where {conditions}' if conditions else ''}"


def _check_spelling(system: str, mapped: ObjectMapping, records: Sequence[Record]) -> None:
    """ZOQL takes a name in any letter case and answers with its own; read under another it would be missing."""
    asked = set(mapped.fields) | {"Id"}
    odd = next((name for record in records for name in record if name not in asked), None)
    if odd is not None:
        raise SchemaChanged(f"{system} spells a field of {mapped.name} {odd!r}; spell it so in the mapping.")
