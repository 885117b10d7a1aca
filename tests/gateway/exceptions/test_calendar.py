"""Business time: worked examples, and every answer against the minute-by-minute oracle."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.exceptions.calendar import (
    Calendar,
    CloseWeek,
    Hours,
    Relay,
    Windows,
    Without,
    add,
    days,
    elapsed,
    next_opening,
    opening_from,
)
from gateway.exceptions.errors import CalendarError
from gateway.exceptions.span import Span
from tests.gateway.exceptions.minute_oracle import MINUTE, SlowCalendar, open_minutes

OFFICE: Windows = ((9 * 60, 17 * 60),)
CLOSED: Windows = ()
WEEK = (OFFICE,) * 5 + (CLOSED,) * 2
NEW_YORK = Hours(date(2020, 1, 1), "America/New_York", WEEK)
EAST = Calendar([NEW_YORK])


def utc(day: int, hour: int, minute: int = 0, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_a_span_says_its_unit() -> None:
    assert str(Span.parse("2bd")) == "2bd"
    assert Span.parse("1h").minutes == 60
    for wrong in ("2", "2 h", "1d", "-1h", "1.5h", ""):
        with pytest.raises(ValueError, match="30m, 1h or 2bd"):
            Span.parse(wrong)


def test_eight_hours_are_one_day_of_eight_hours() -> None:
    friday_three = utc(4, 20)  # 15:00 in New York
    assert add(EAST, friday_three, Span.parse("8h")) == utc(7, 20)
    assert add(EAST, friday_three, Span.parse("1bd")) == utc(7, 20)


def test_a_deadline_falls_on_the_closing_time_and_not_on_the_next_opening() -> None:
    assert add(EAST, utc(1, 14), Span.parse("8h")) == utc(1, 22)


def test_what_begins_at_night_counts_from_the_opening() -> None:
    assert add(EAST, utc(1, 3), Span.parse("1h")) == utc(1, 15)
    assert add(EAST, utc(5, 12), Span.parse("1h")) == utc(7, 15)


def test_no_time_is_no_time() -> None:
    assert add(EAST, utc(5, 12), Span.parse("0m")) == utc(5, 12)
    assert elapsed(EAST, utc(2, 12), utc(1, 12)) == timedelta()


def test_half_of_a_short_day_is_half_a_business_day() -> None:
    short = Calendar([Hours(date(2020, 1, 1), "UTC", WEEK, days={date(2026, 12, 2): ((9 * 60, 13 * 60),)})])
    assert days(short, utc(2, 9), utc(2, 11)) == Fraction(1, 2)
    assert add(short, utc(1, 13), Span.parse("1bd")) == utc(2, 11)


def test_precedence_of_single_days_holidays_and_the_close_week() -> None:
    long_day: Windows = ((8 * 60, 20 * 60),)
    hours = Hours(
        date(2020, 1, 1),
        "UTC",
        WEEK,
        holidays=frozenset({date(2026, 12, 1), date(2026, 12, 2)}),
        days={date(2026, 12, 2): ((600, 660),)},
        close_week=CloseWeek(-2, 4, (long_day,) * 7),
    )
    assert hours.on(date(2026, 12, 1)) == CLOSED
    assert hours.on(date(2026, 12, 2)) == ((600, 660),)
    assert hours.on(date(2026, 12, 4)) == long_day
    assert hours.on(date(2026, 12, 5)) == CLOSED
    assert hours.on(date(2026, 11, 29)) == long_day
    assert hours.on(date(2026, 11, 28)) == CLOSED


def test_a_close_week_in_a_leap_february() -> None:
    covers = CloseWeek(-1, 1, WEEK).covers
    assert [covers(date(2028, 2, 28)), covers(date(2028, 2, 29)), covers(date(2028, 3, 1))] == [False, True, True]


def test_next_opening_is_now_when_open() -> None:
    assert next_opening(EAST, utc(1, 15, 7)) == utc(1, 15, 7)
    assert next_opening(EAST, utc(1, 22)) == utc(2, 14)


def test_opening_of_a_later_day_and_of_a_weekday() -> None:
    assert opening_from(EAST, utc(1, 12)) == utc(2, 14)
    assert opening_from(EAST, utc(4, 15)) == utc(7, 14)
    assert opening_from(EAST, utc(1, 15), weekday=0) == utc(7, 14)
    assert opening_from(EAST, utc(7, 15), weekday=0) == utc(14, 14)


def test_a_calendar_that_never_opens_is_said_to() -> None:
    never = Calendar([Hours(date(2020, 1, 1), "UTC", (CLOSED,) * 7)])
    with pytest.raises(CalendarError, match="not enough open time"):
        add(never, utc(1, 12), Span.parse("1m"))
    with pytest.raises(CalendarError):
        next_opening(never, utc(1, 12))


def test_the_hour_that_comes_twice_is_open_twice_and_the_lost_hour_is_not() -> None:
    night = Calendar([Hours(date(2020, 1, 1), "America/New_York", (((60, 180),),) * 7)])
    autumn = elapsed(night, utc(1, 4, month=11), utc(2, 5, month=11))
    spring = elapsed(night, utc(8, 5, month=3), utc(9, 4, month=3))
    assert (autumn, spring) == (timedelta(hours=3), timedelta(hours=1))


def test_a_new_version_moves_nothing_before_its_day() -> None:
    longer = Hours(date(2026, 12, 3), "America/New_York", (((8 * 60, 20 * 60),),) * 7)
    changed = Calendar([longer, NEW_YORK])
    third = utc(3, 5)
    assert elapsed(changed, utc(1, 0), third) == elapsed(EAST, utc(1, 0), third)
    assert elapsed(changed, third, utc(4, 5)) == timedelta(hours=12)


def windows() -> st.SearchStrategy[Windows]:
    """Up to two windows of a day, apart from each other, on quarter hours."""
    cuts = st.lists(st.integers(0, 96), min_size=0, max_size=4, unique=True).map(sorted)
    return cuts.map(lambda edges: tuple((edges[i] * 15, edges[i + 1] * 15) for i in range(0, len(edges) - 1, 2)))


ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
)
# Around changes of the clocks in both hemispheres, a leap day, and nothing special.
MOMENTS = st.sampled_from(
    [
        datetime(2026, 3, 7, tzinfo=UTC),
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 4, 4, tzinfo=UTC),
        datetime(2026, 10, 3, tzinfo=UTC),
        datetime(2026, 10, 24, tzinfo=UTC),
        datetime(2026, 10, 31, tzinfo=UTC),
        datetime(2028, 2, 28, tzinfo=UTC),
        datetime(2018, 11, 3, tzinfo=UTC),  # Brazil's clocks changed at midnight: that day has no 00:00
    ]
)


@st.composite
def versions(draw: st.DrawFn) -> tuple[datetime, list[Hours]]:
    """A moment, and one or two versions of a calendar of which the second begins near it."""
    moment = draw(MOMENTS)
    near = st.integers(-1, 3).map(lambda offset: moment.date() + timedelta(days=offset))
    found = []
    for begins in (date(2015, 1, 1), draw(near)):
        found.append(
            Hours(
                effective_from=begins,
                zone=draw(ZONES),
                week=tuple(draw(windows()) for _ in range(7)),
                holidays=frozenset(draw(st.sets(near, max_size=2))),
                days={draw(near): draw(windows())},
            )
        )
    return moment, found[: draw(st.integers(1, 2))]


@settings(max_examples=40, deadline=None)
@given(versions(), st.integers(0, 2 * 1440), st.integers(0, 3 * 1440))
def test_elapsed_is_what_the_wall_clock_shows(drawn: tuple[datetime, list[Hours]], offset: int, length: int) -> None:
    moment, hours = drawn
    start = moment + offset * MINUTE
    end = start + length * MINUTE
    assert elapsed(Calendar(hours), start, end) == open_minutes(SlowCalendar(hours), start, end) * MINUTE


@settings(max_examples=40, deadline=None)
@given(versions(), st.integers(0, 2 * 1440), st.integers(0, 2 * 1440))
def test_days_are_shares_of_each_day(drawn: tuple[datetime, list[Hours]], offset: int, length: int) -> None:
    moment, hours = drawn
    slow = SlowCalendar(hours)
    start = moment + offset * MINUTE
    shares = sum((slow.share(start + number * MINUTE) for number in range(length)), Fraction())
    assert days(Calendar(hours), start, start + length * MINUTE) == shares


@settings(max_examples=150, deadline=None)
@given(versions(), st.integers(0, 4 * 1440), st.integers(1, 30 * 60), st.integers(1, 9))
def test_add_is_the_first_instant_at_which_so_much_has_passed(
    drawn: tuple[datetime, list[Hours]], offset: int, minutes: int, count: int
) -> None:
    moment, hours = drawn
    calendar = Calendar(hours)
    start = moment + offset * MINUTE
    assume(elapsed(calendar, start, start + timedelta(days=60)) > timedelta(days=5))
    due = add(calendar, start, Span.parse(f"{minutes}m"))
    assert elapsed(calendar, start, due) == minutes * MINUTE
    assert elapsed(calendar, start, due - timedelta(microseconds=1)) < minutes * MINUTE
    due = add(calendar, start, Span.parse(f"{count}bd"))
    assert days(calendar, start, due) >= count
    assert days(calendar, start, due - timedelta(microseconds=1)) < count


@settings(max_examples=60, deadline=None)
@given(versions(), versions(), st.integers(0, 4 * 1440), st.integers(0, 4 * 1440), st.integers(0, 1440))
def test_a_relay_and_pauses_only_cut(
    drawn: tuple[datetime, list[Hours]],
    other: tuple[datetime, list[Hours]],
    change: int,
    pause: int,
    length: int,
) -> None:
    moment, hours = drawn
    first, second = Calendar(hours), Calendar(other[1])
    changed = moment + change * MINUTE
    paused = (moment + pause * MINUTE, moment + (pause + length) * MINUTE)
    end = moment + timedelta(days=5)
    relay = Relay(((moment, first), (changed, second)))
    assert elapsed(relay, moment, end) == elapsed(first, moment, changed) + elapsed(second, changed, end)
    rest = elapsed(Without(relay, (paused,)), moment, end)
    assert rest == elapsed(relay, moment, end) - elapsed(relay, paused[0], min(paused[1], end))
