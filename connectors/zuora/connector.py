"""Zuora as a Connector: windows by UpdatedDate, read with ZOQL, with the records of other objects looked up.

Facts: vendors.md C2. ZOQL gives no order, so a window's position counts only once its last page is read: then
everything up to the latest stamp in it has been handed over. The last window has no end: a query sees the tenant
as it is when it is asked, whatever our clock says.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import telemetry
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import CursorLost, MappingError, SchemaChanged
from connectors.http import Wire
from connectors.mapping import LookUp, Mapping, ObjectMapping
from connectors.retries import RetryPolicy
from connectors.tokens import Bearer
from connectors.watermark import look_back
from connectors.zuora.zoql import Zoql, instant

LOOK_BACK_S = 600
# A locator is forgotten after 15 minutes without use; a window that loses it again and again is given up.
WINDOW_ATTEMPTS = 3


@dataclass(frozen=True)
class ZuoraConfig:
    """`base_url` is the data centre's, such as https://rest.na.zuora.com.

    A first load is one window, which starts over when it is interrupted. With `history_start` it is resumable:
    one window for all that is older, then one for every `window_days` from there on.
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    system: str = "zuora"
    timeout_s: float = 130.0
    history_start: datetime | None = None
    window_days: int = 30
    retries: RetryPolicy = field(default_factory=RetryPolicy)


def connect(config: ZuoraConfig, clock: Callable[[], datetime]) -> Bearer:
    """The tenant with its login (OAuth client credentials)."""
    form = {
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "grant_type": "client_credentials",
    }
    wire = Wire(config.system, config.base_url, clock, config.timeout_s)
    return Bearer(wire, "/oauth/token", lambda: form, clock)


class Zuora:
    """A Connector. One thread at a time; logs in at the first call."""

    def __init__(self, config: ZuoraConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._bearer = connect(config, clock)
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
        raise NotImplementedError

    def fields(self, name: str) -> Sequence[SourceField]:
        raise NotImplementedError

    def count(self, name: str) -> int | None:
        raise NotImplementedError

    def limits(self) -> Sequence[Limit]:
        raise NotImplementedError

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
            stamps = [datetime.fromisoformat(record[stamp]) for record in records] if stamp else []
            latest = max([*stamps, *([latest] if latest else [])], default=None)
            last = Position(latest.astimezone(UTC)) if done and latest else None
            if records or last:
                yield Page(records, last)


def looked_up(zoql: Zoql, mapped: ObjectMapping, records: Sequence[Record]) -> Sequence[Record]:
    """The records, each with those of other objects that the mapping looks up, as nested records."""
    for look_up in mapped.look_ups:
        found = _found(zoql, look_up, mapped, records)
        records = [{**r, look_up.name: found.get(r.get(look_up.by.path))} for r in records]
    return records


def own_fields(mapped: ObjectMapping, fields: Sequence[str]) -> Sequence[str]:
    """Those of the fields that the object itself has, not one that is looked up."""
    return [name for name in fields if name.partition(".")[0] not in {up.name for up in mapped.look_ups}]


def _found(zoql: Zoql, look_up: LookUp, mapped: ObjectMapping, records: Sequence[Record]) -> Table[Any, Record]:
    """The looked-up records by the value that they are looked up by; the first where there are several."""
    wanted = {str(value) for r in records if (value := r.get(look_up.by.path))}
    prefix = f"{look_up.name}."
    fields = [name.removeprefix(prefix) for name in mapped.fields if name.startswith(prefix)]
    fields = list(dict.fromkeys([look_up.match, *fields, *([look_up.first_by] if look_up.first_by else [])]))
    found: dict[Any, Record] = {}
    for other in zoql.matching(look_up.object, fields, look_up.match, wanted):
        key, first_by = other.get(look_up.match), look_up.first_by
        if key not in found or (first_by and _number(other, first_by) < _number(found[key], first_by)):
            found[key] = other
    return found


def _number(record: Record, name: str) -> float:
    value = record.get(name)
    return float("inf") if value is None else float(value)


def _select(mapped: ObjectMapping, fields: Sequence[str], where: str) -> str:
    conditions = " and ".join(part for part in (where, mapped.filter) if part)
    return f"select {', '.join(fields)} from {mapped.name}{f' where {conditions}' if conditions else ''}"


def _check_spelling(system: str, mapped: ObjectMapping, records: Sequence[Record]) -> None:
    """ZOQL takes a name in any letter case and answers with its own; read under another it would be missing."""
    asked = set(mapped.fields) | {"Id"}
    odd = next((name for record in records for name in record if name not in asked), None)
    if odd is not None:
        raise SchemaChanged(f"{system} spells a field of {mapped.name} {odd!r}; spell it so in the mapping.")
