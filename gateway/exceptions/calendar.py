"""Business time. Pure: instants in, instants and lengths out.

The one rule: an instant is open when the wall clock of the calendar's zone then shows a time inside a window of
that day. Windows are half-open. So a day on which the clocks change is as long as it really is, and an hour that
comes twice is open twice. One business day is the whole open time of a local day, long or short: half of a short
day is half a business day.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.exceptions.errors import CalendarError
from gateway.exceptions.span import Span, Unit

# Minutes of the local day, half-open; 1440 is the midnight that ends it.
Window = tuple[int, int]
Windows = tuple[Window, ...]

HORIZON = timedelta(days=3 * 366)
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
# Local days lie within this of the same date in UTC: offsets run from -12 h to +14 h.
_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)


@dataclass(frozen=True)
class Opening:
    """A stretch of open time, half-open, with the open time of the whole local day that it belongs to."""

    start: datetime
    end: datetime
    day_length: timedelta


@dataclass(frozen=True)
class CloseWeek:
    """The days around the month's end, both inclusive, on which other hours hold.

    Days are counted from 1; −1 is the last day of the month. From −2 to 4: the last two days and the first four.
    """

    from_day: int
    to_day: int
    week: tuple[Windows, ...]

    def covers(self, day: date) -> bool:
        if self.from_day > 0:
            return self.from_day <= day.day <= self.to_day
        last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - _DAY
        return day.day - last.day - 1 >= self.from_day or day.day <= self.to_day


@dataclass(frozen=True)
class Hours:
    """One version of a calendar, in force from the midnight that begins `effective_from` in its own zone.

    `week` has seven entries from Monday on. `days` names the hours of single dates and beats everything; a
    holiday beats the close week; the close week beats the weekly hours.
    """

    effective_from: date
    zone: str
    week: tuple[Windows, ...]
    holidays: frozenset[date] = frozenset()
    days: Mapping[date, Windows] = field(default_factory=dict)
    close_week: CloseWeek | None = None

    def on(self, day: date) -> Windows:
        if day in self.days:
            return self.days[day]
        if day in self.holidays:
            return ()
        if self.close_week is not None and self.close_week.covers(day):
            return self.close_week.week[day.weekday()]
        return self.week[day.weekday()]


class Business(Protocol):
    """Whatever has open time: a calendar, a relay of calendars, either of them less pauses."""

    def openings(self, start: datetime, end: datetime) -> Iterator[Opening]:
        """Open stretches inside [start, end), in order, clipped to it."""
        ...


class Calendar:
    """Versions of hours in order of their date. The first also holds for all time before it."""

    def __init__(self, versions: Sequence[Hours]) -> None:
        if not versions:
            raise CalendarError("A calendar has no hours at all.")
        self._versions = sorted(versions, key=lambda hours: hours.effective_from)
        self._zones = [ZoneInfo(hours.zone) for hours in self._versions]
        self._starts = [
            datetime.combine(hours.effective_from, datetime.min.time(), zone).astimezone(UTC)
            for hours, zone in zip(self._versions, self._zones, strict=True)
        ]
        self._days: dict[tuple[int, date], tuple[Opening, ...]] = {}

    def openings(self, start: datetime, end: datetime) -> Iterator[Opening]:
        while start < end:
            index = max(bisect_right(self._starts, start) - 1, 0)
            stop = min(end, self._starts[index + 1]) if index + 1 < len(self._starts) else end
            yield from self._version_openings(index, start, stop)
            start = stop

    def zone_at(self, at: datetime) -> ZoneInfo:
        """The zone in force at an instant, to say a due time in."""
        return self._zones[max(bisect_right(self._starts, at) - 1, 0)]

    def _version_openings(self, index: int, start: datetime, end: datetime) -> Iterator[Opening]:
        day = start.astimezone(self._zones[index]).date()
        last = end.astimezone(self._zones[index]).date()
        while day <= last:
            for opening in self._openings_on(index, day):
                clipped = _clip(opening, start, end)
                if clipped is not None:
                    yield clipped
            day += _DAY

    def _openings_on(self, index: int, day: date) -> tuple[Opening, ...]:
        if (index, day) not in self._days:
            windows = self._versions[index].on(day)
            stretches = sorted(_stretches(self._zones[index], day, windows)) if windows else []
            length = sum((end - start for start, end in stretches), timedelta())
            self._days[index, day] = tuple(Opening(start, end, length) for start, end in stretches)
        return self._days[index, day]


@dataclass(frozen=True)
class Relay:
    """Calendars one after the other, each from its instant on; the first also before. A change moves no past."""

    legs: tuple[tuple[datetime, Business], ...]

    def openings(self, start: datetime, end: datetime) -> Iterator[Opening]:
        for number, (_, calendar) in enumerate(self.legs):
            begins = start if number == 0 else max(start, self.legs[number][0])
            ends = min(end, self.legs[number + 1][0]) if number + 1 < len(self.legs) else end
            if begins < ends:
                yield from calendar.openings(begins, ends)


@dataclass(frozen=True)
class Without:
    """Business time less pauses: half-open, in order, apart from each other."""

    business: Business
    pauses: tuple[tuple[datetime, datetime], ...]

    def openings(self, start: datetime, end: datetime) -> Iterator[Opening]:
        for paused_from, paused_to in self.pauses:
            if start < paused_from:
                yield from self.business.openings(start, min(paused_from, end))
            start = max(start, paused_to)
        if start < end:
            yield from self.business.openings(start, end)


def elapsed(business: Business, start: datetime, end: datetime) -> timedelta:
    """Open time in [start, end); zero when end is not after start."""
    return sum((opening.end - opening.start for opening in business.openings(start, end)), timedelta())


def days(business: Business, start: datetime, end: datetime) -> Fraction:
    """The same in business days."""
    return sum((_share(opening) for opening in business.openings(start, end)), Fraction())


def add(business: Business, start: datetime, span: Span) -> datetime:
    """The first instant at which so much business time has passed since start. CalendarError if it never does."""
    if span.unit is Unit.DAY:
        return add_days(business, start, Fraction(span.count))
    return add_time(business, start, timedelta(minutes=span.minutes))


def add_time(business: Business, start: datetime, length: timedelta) -> datetime:
    """The first instant at which `length` of open time has passed."""
    if length <= timedelta():
        return start
    for opening in business.openings(start, start + HORIZON):
        if opening.end - opening.start >= length:
            return opening.start + length
        length -= opening.end - opening.start
    raise _never_opens(start)


def add_days(business: Business, start: datetime, count: Fraction) -> datetime:
    """The first instant, to the microsecond above, at which `count` business days have passed."""
    if count <= 0:
        return start
    for opening in business.openings(start, start + HORIZON):
        share = _share(opening)
        if share >= count:
            ticks = count * (opening.day_length // _TICK)
            return opening.start + -(-ticks.numerator // ticks.denominator) * _TICK
        count -= share
    raise _never_opens(start)


def next_opening(business: Business, at: datetime) -> datetime:
    """The instant itself when open, else the next at which business opens."""
    for opening in business.openings(at, at + HORIZON):
        return opening.start
    raise _never_opens(at)


def opening_from(calendar: Calendar, at: datetime, weekday: int | None = None) -> datetime:
    """The first opening on a later local day than that of `at`; on a given weekday (0 is Monday) or the day after
    it that opens first, when `weekday` is given."""
    zone = calendar.zone_at(at)
    day = at.astimezone(zone).date() + _DAY
    while weekday is not None and day.weekday() != weekday:
        day += _DAY
    return next_opening(calendar, datetime.combine(day, datetime.min.time(), zone).astimezone(UTC))


def _share(opening: Opening) -> Fraction:
    return Fraction((opening.end - opening.start) // _TICK, opening.day_length // _TICK)


def _clip(opening: Opening, start: datetime, end: datetime) -> Opening | None:
    if opening.start >= start and opening.end <= end:
        return opening
    begins, ends = max(opening.start, start), min(opening.end, end)
    return Opening(begins, ends, opening.day_length) if begins < ends else None


def _stretches(zone: ZoneInfo, day: date, windows: Windows) -> Iterator[tuple[datetime, datetime]]:
    """The windows of a local day as instants: in each piece of constant offset, wall time less the offset."""
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    for piece_start, piece_end, offset in _pieces(zone, midnight - _EAST, midnight + _DAY + _WEST):
        for opens, closes in windows:
            start = max(midnight + timedelta(minutes=opens) - offset, piece_start)
            end = min(midnight + timedelta(minutes=closes) - offset, piece_end)
            if start < end:
                yield start, end


def _pieces(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """[start, end) cut where the zone's offset from UTC changes. Offsets change at most once an hour."""
    if _offset(zone, start) == _offset(zone, end):
        yield start, end, _offset(zone, start)
        return
    begun, at = start, start
    while at < end:
        following = min(at + timedelta(hours=1), end)
        if _offset(zone, at) != _offset(zone, following):
            change = _change(zone, at, following)
            yield begun, change, _offset(zone, at)
            begun = change
        at = following
    yield begun, end, _offset(zone, end - _TICK)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second with the later offset."""
    seconds = int((after - before).total_seconds())
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(zone, before + timedelta(seconds=middle)) == _offset(zone, before)
        low, high = (middle, high) if same else (low, middle)
    return before + timedelta(seconds=high)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None, "a zone always knows its offset"
    return offset


def _never_opens(start: datetime) -> CalendarError:
    return CalendarError(
        f"The business calendar has not enough open time within three years of {start:%Y-%m-%d}; check its hours."
    )
