"""Business time the slow way: every minute is asked what the clock on the wall shows. Shares no code with the
calendars beyond the data that describe them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo

from gateway.exceptions.calendar import Hours

MINUTE = timedelta(minutes=1)


class SlowCalendar:
    """The same versions as a Calendar, asked minute by minute."""

    def __init__(self, versions: Sequence[Hours]) -> None:
        self._versions = sorted(versions, key=lambda hours: hours.effective_from)
        self._open_minutes = cache(self._count_open_minutes)

    def share(self, minute: datetime) -> Fraction:
        """Of its business day that a minute is; zero when closed."""
        version = self._in_force(minute)
        if not self._shows_open(version, minute):
            return Fraction(0)
        local = minute.astimezone(ZoneInfo(version.zone)).date()
        return Fraction(1, self._open_minutes(self._versions.index(version), local))

    def _in_force(self, minute: datetime) -> Hours:
        found = self._versions[0]
        for version in self._versions[1:]:
            zone = ZoneInfo(version.zone)
            begins = datetime(
                version.effective_from.year, version.effective_from.month, version.effective_from.day, tzinfo=zone
            )
            if minute >= begins.astimezone(UTC):
                found = version
        return found

    @staticmethod
    def _shows_open(version: Hours, minute: datetime) -> bool:
        wall = minute.astimezone(ZoneInfo(version.zone))
        of_day = wall.hour * 60 + wall.minute
        return any(opens <= of_day < closes for opens, closes in version.on(wall.date()))

    def _count_open_minutes(self, index: int, day: date) -> int:
        version = self._versions[index]
        zone = ZoneInfo(version.zone)
        minute = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
        count = 0
        for _ in range(54 * 60):
            if minute.astimezone(zone).date() == day and self._shows_open(version, minute):
                count += 1
            minute += MINUTE
        return count


@dataclass(frozen=True)
class Tick:
    """A minute of a running clock: how much open time and how many business days it brings."""

    minute: datetime
    share: Fraction


def ticks(calendar_at: Callable[[datetime], SlowCalendar], start: datetime) -> Iterator[Tick]:
    """Minutes from start on, each on the calendar that holds then."""
    minute = start
    while True:
        yield Tick(minute, calendar_at(minute).share(minute))
        minute += MINUTE


def open_minutes(calendar: SlowCalendar, start: datetime, end: datetime) -> int:
    count, minute = 0, start
    while minute < end:
        count += calendar.share(minute) > 0
        minute += MINUTE
    return count
