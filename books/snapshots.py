"""A published snapshot: which version of every table belongs together, and how far each source had been read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_TICK = timedelta(microseconds=1)
# The system of rows that the gateway writes itself. They are published with the snapshot and have no reading: they are
# never behind it.
OWN = "tieout"


@dataclass(frozen=True)
class Reading:
    """How far one entity of one system is known.

    `watermark`: everything that the source had stamped up to here is in the books; None before the first full read
    under the mapping in force. `failure`: why the last poll did not end well, in a sentence; None when it did.
    It may be relied on in the half-open time from `fresh_from` to `stale_at`: `target` counted in the source's own
    business time, or by the wall clock where nobody says otherwise.
    """

    watermark: datetime | None
    target: timedelta
    failure: str | None = None
    stale_at: datetime | None = None
    skew: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.stale_at is None and self.watermark is not None:
            object.__setattr__(self, "stale_at", self.watermark + self.target + _TICK)

    @property
    def fresh_from(self) -> datetime | None:
        """A watermark that lies further ahead of our clock than this is no promise: one of the clocks is wrong."""
        return None if self.watermark is None else self.watermark - self.skew

    def trouble(self, now: datetime) -> str | None:
        """Why a check may not rely on this reading, in words that follow the source's name; None if it may."""
        if self.failure is not None:
            return f"could not be read: {self.failure}"
        if self.watermark is None or self.stale_at is None:
            return "has not been read completely yet under the present mapping"
        if self.watermark - self.skew > now:
            ahead = _spoken(self.watermark - now)
            return f"was read up to {self.watermark:%Y-%m-%d %H:%M} UTC, {ahead} ahead of our clock: one is wrong"
        if now >= self.stale_at:
            return f"was last read at {self.watermark:%Y-%m-%d %H:%M} UTC; it may be {_spoken(self.target)} old"
        return None


@dataclass(frozen=True)
class Snapshot:
    """What readers may use. `readings` is keyed by (system, entity)."""

    id: str
    published_at: datetime
    versions: Mapping[str, int]
    readings: Mapping[tuple[str, str], Reading]

    def as_of(self) -> dict[str, datetime | None]:
        """Per system the oldest watermark of its entities; None when one of them was never read."""
        oldest: dict[str, datetime | None] = {}
        for (system, _), reading in self.readings.items():
            known = oldest.get(system, reading.watermark)
            oldest[system] = None if known is None or reading.watermark is None else min(known, reading.watermark)
        return oldest

    def known_to(self) -> datetime:
        """How new all of it is at least: the oldest watermark; the publication where nothing has one."""
        marks = [reading.watermark for reading in self.readings.values() if reading.watermark is not None]
        return min(marks, default=self.published_at)


def _spoken(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
