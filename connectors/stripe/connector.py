"""Stripe as a Connector: a first load from the lists, and then what the feed of events names, read again.

Facts: vendors.md C3, E3, E15. Lists come newest first, so what is made during a walk is not in it, and is told by the
events since the walk began: the position of a first load is its beginning. Events come newest first too, so a window
of them is a position only once all of it has been handed over.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors import telemetry
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import CursorLost, PermanentError
from connectors.mapping import Mapping, ObjectMapping
from connectors.stripe import events
from connectors.stripe.api import StripeApi, StripeConfig
from connectors.stripe.expressions import Expressions
from connectors.stripe.reading import Reader
from connectors.stripe.resources import RESOURCES, SUMMARY
from connectors.stripe.usage import LATE, MeterUsage
from connectors.watermark import look_back

log = logging.getLogger(__name__)

LOOK_BACK_S = 600
# Without newer events a position still moves on, this far behind the clocks: so that it never grows out of the feed,
# and so that neither a clock that is wrong nor an answer that is stale takes it past an event.
SETTLED = timedelta(days=1)
# A list whose place is lost again and again is given up.
WALK_ATTEMPTS = 3


def account_zone(config: StripeConfig) -> ZoneInfo:
    """Raises PermanentError for a time zone that is not known."""
    try:
        return ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise PermanentError(f"The time zone {config.timezone!r} of {config.system} is unknown.") from error


class Stripe:
    """A Connector. One thread at a time."""

    def __init__(self, config: StripeConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._clock = clock
        self._api = StripeApi(config, clock)
        self._zone = account_zone(config)
        self._readers = {name: Reader.mapped(self._api, mapping.objects[name], self._zone) for name in mapping.walked}

    def source_time(self) -> datetime:
        self._ask(self._mapping.walked[0])
        return self._api.source_time()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        mapped = self._mapping.objects[name]
        if name == SUMMARY:
            return self._summaries(mapped, since)
        if mapped.modified is None:
            return (Page(records, since) for records in self.census(name))
        if since is None or since.stamp is None:
            return self._load(name, None)
        if self._outrun(since.stamp):
            system = self._config.system
            log.warning("The events of %s do not reach back to %s, so every %s is read.", system, since.stamp, name)
            return self._load(name, None)
        if since.token:
            return self._resumed(mapped, since, since.stamp)
        return self._news(mapped, since, since.stamp)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        reader = self._readers[name]
        if since is None or not reader.resource.events:
            return
        moment = since - timedelta(seconds=LOOK_BACK_S)
        kept = self._behind() - timedelta(days=self._config.retention_days)
        yield from events.gone(self._api, reader, max(moment, kept))
        if self._outrun(since):
            raise CursorLost(f"The events of {self._config.system} do not reach back to {since.isoformat()}.")

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        if name == SUMMARY:
            yield from self._usage().pages(None, self._now(name))
            return
        # One is asked for first: an answer that comes again from a cache must not pass for a short list, by which
        # rows are buried.
        self._ask(name)
        for records, _ in self._pages(name, ""):
            if records:
                yield records

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        """As the contract says. For objects in a list of another (`line_item`) a key may be the id of that other one,
        and then all of its list comes; a line's own id does not tell whose line it is, and raises PermanentError."""
        if name == SUMMARY:
            raise PermanentError("Stripe gives summaries by meter and day, not one by one.")
        reader = self._readers[name]
        for key in dict.fromkeys(keys):
            records = _fetched(reader, key)
            if records:
                yield records

    def fields(self, name: str) -> Sequence[SourceField]:
        """None: Stripe describes nothing. Raises SchemaChanged where the key may not read the object."""
        self._ask(name)
        return ()

    def count(self, name: str) -> int | None:
        """None: Stripe counts nothing."""
        del name
        return None

    def limits(self) -> Sequence[Limit]:
        """None: Stripe does not say how much of its limits is used."""
        return ()

    def close(self) -> None:
        self._api.close()

    def _load(self, name: str, since: Position | None) -> Iterator[Page]:
        """Every record by its list, from the beginning or from where it stopped; a position says when it began."""
        start, after = (since.stamp, since.token) if since else (self._now(name), "")
        for attempt in range(1, WALK_ATTEMPTS + 1):
            try:
                for records, following in self._pages(name, after):
                    yield Page(records, Position(start, token=following))
                return
            except CursorLost:
                if attempt == WALK_ATTEMPTS:
                    raise
                after = ""

    def _resumed(self, mapped: ObjectMapping, since: Position, begun: datetime) -> Iterator[Page]:
        """The rest of a load that was interrupted, and what has happened since it began: new records stand before the
        place where its list goes on, and the reader takes this walk to cover all up to its own start."""
        yield from self._load(mapped.name, since)
        yield from self._news(mapped, Position(begun), begun)

    def _news(self, mapped: ObjectMapping, since: Position, reached: datetime) -> Iterator[Page]:
        """What the events since a position name, window by window."""
        start = look_back(since, mapped.look_back_s, LOOK_BACK_S) or reached
        width = timedelta(hours=self._config.window_hours)
        settled = self._behind() - SETTLED
        while start + width < settled:
            yield from self._window(mapped.name, start, start + width)
            start += width
            yield Page((), Position(start))
        latest = yield from self._window(mapped.name, start, None)
        end = max(moment for moment in (latest, settled, reached) if moment)
        if end > reached:
            yield Page((), Position(end))

    def _window(self, name: str, start: datetime, end: datetime | None) -> Generator[Page, None, datetime | None]:
        """What the events of [start, end) name, as it is now; returns the stamp of the latest of them."""
        reader, latest = self._readers[name], None
        for told in events.told(self._api, reader.resource, reader.resource.events, start, end):
            latest = max((moment for moment in (latest, told.latest) if moment), default=None)
            records = telemetry.page(self._config.system, name, partial(_all_named, reader, told.ids))
            if records:
                yield Page(records, None)
        return latest

    def _pages(self, name: str, after: str) -> Iterator[tuple[Sequence[Record], str]]:
        """The pages of an object's list, each with where the next one starts; "" with the last."""
        pages = self._readers[name].pages(after)
        last = ""

        def read() -> Sequence[Record]:
            nonlocal last
            records, last = next(pages)
            return records

        while True:
            yield telemetry.page(self._config.system, name, read), last
            if not last:
                return

    def _summaries(self, mapped: ObjectMapping, since: Position | None) -> Iterator[Page]:
        now = self._now(mapped.name)
        start = look_back(since, mapped.look_back_s, int(LATE.total_seconds()))
        for records in self._usage().pages(start, now):
            if records:
                yield Page(records, None)
        yield Page((), Position(now))

    def _usage(self) -> MeterUsage:
        return MeterUsage(self._api, Expressions.among(self._mapping.objects[SUMMARY].fields, self._zone))

    def _ask(self, name: str) -> None:
        """One record of an object: whether it may be read, and what time it is there."""
        resource = RESOURCES["billing.meter" if name == SUMMARY else name]
        asked = RESOURCES[resource.parent] if resource.walks_parent else resource
        self._api.get(asked.path, {**asked.params, "limit": "1"})

    def _now(self, name: str) -> datetime:
        """The time now, as an answer about an object tells it."""
        self._ask(name)
        return self._behind()

    def _behind(self) -> datetime:
        """Whichever of the two clocks is behind: Stripe's, as its last answer told it, and ours."""
        return min(self._api.source_time(), self._clock())

    def _outrun(self, moment: datetime) -> bool:
        """Whether the feed may have forgotten what happened after a moment."""
        kept = timedelta(days=self._config.retention_days) - timedelta(hours=self._config.margin_hours)
        return moment < max(self._api.source_time(), self._clock()) - kept


def _all_named(reader: Reader, ids: Sequence[str]) -> Sequence[Record]:
    return [record for identity in ids for record in reader.named(identity)]


def _fetched(reader: Reader, key: str) -> Sequence[Record]:
    try:
        return reader.fetched(key)
    except LookupError as error:
        raise PermanentError(
            f"Stripe does not tell which {reader.resource.parent} has the {reader.resource.name} {key}. "
            f"Ask for all of one {reader.resource.parent} by its id."
        ) from error
