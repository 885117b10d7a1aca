"""When a reading goes stale: its age counts only while the source is expected to work.

Pure: a watermark in, an instant out. `stale_at` is worked out once, where a reading is made, so that the checks, the
gate and the console cannot disagree about it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.exceptions.calendar import Business, Calendar, Opening, Without, add_time
from gateway.exceptions.errors import CalendarError

_TICK = timedelta(microseconds=1)
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class AroundTheClock:
    """Business that never closes."""

    def openings(self, start: datetime, end: datetime) -> Iterator[Opening]:
        if start < end:
            yield Opening(start, end, end - start)


@dataclass(frozen=True)
class Freshness:
    """How old a source's readings may be, and in which time that age is counted.

    `skew`: how far a watermark may lie ahead of our clock before the clocks are thought to be wrong.
    """

    target: timedelta = timedelta(0)
    business: Business = AroundTheClock()
    skew: timedelta = timedelta(minutes=5)

    def stale_at(self, watermark: datetime) -> datetime:
        """The first instant at which more than the target has passed; exactly the target is fresh.

        A calendar that does not open often enough would keep a source fresh for ever: then every hour counts.
        """
        try:
            return add_time(self.business, watermark, self.target + _TICK)
        except CalendarError:
            return watermark + self.target + _TICK


class Planned(Protocol):
    """What tieout.yaml says about the freshness of one source."""

    @property
    def freshness(self) -> timedelta: ...

    @property
    def freshness_calendar(self) -> str | None: ...

    def pauses(self) -> Iterable[Stretch]:
        """The announced maintenance windows, half-open, in any order."""


def freshness_of(said: Planned, calendars: Mapping[str, Calendar], skew: timedelta) -> Freshness:
    """The rule for a source. Its calendar must be among `calendars`."""
    business: Business = calendars[said.freshness_calendar] if said.freshness_calendar else AroundTheClock()
    pauses = tuple(joined(said.pauses()))
    return Freshness(said.freshness, Without(business, pauses) if pauses else business, skew)


def joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The same time as stretches in order, apart from each other."""
    held: Stretch | None = None
    for start, end in sorted(stretches):
        if held is None:
            held = (start, end)
        elif start <= held[1]:
            held = (held[0], max(held[1], end))
        else:
            yield held
            held = (start, end)
    if held is not None:
        yield held
