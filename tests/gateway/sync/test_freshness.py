"""When a reading goes stale: worked examples, and every answer against a count of minutes."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from books.snapshots import Reading
from gateway.config import parse
from gateway.errors import ConfigError
from gateway.exceptions.calendar import Calendar, Hours, Windows, Without
from gateway.installation import Installation
from gateway.sync.freshness import Freshness, freshness_of, joined
from tests.gateway.exceptions.minute_oracle import MINUTE, SlowCalendar

TICK = timedelta(microseconds=1)
OFFICE: Windows = ((9 * 60, 17 * 60),)
WEEK = (OFFICE,) * 5 + ((),) * 2
NEW_YORK = Hours(date(2020, 1, 1), "America/New_York", WEEK, holidays=frozenset({date(2026, 12, 25)}))
OWNERS = Path(__file__).parents[3] / "owners.yaml"


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def office(minutes: int) -> Freshness:
    return Freshness(timedelta(minutes=minutes), Calendar([NEW_YORK]))


def test_by_the_wall_clock_exactly_the_target_is_fresh() -> None:
    assert Freshness(timedelta(hours=1)).stale_at(utc(1, 8)) == utc(1, 9) + TICK


def test_a_weekend_and_a_holiday_make_nothing_stale() -> None:
    friday_1630 = utc(4, 21, 30)
    assert office(60).stale_at(friday_1630) == utc(7, 14, 30) + TICK
    thursday_1630, monday = utc(24, 21, 30), utc(28, 14, 30)
    assert office(60).stale_at(thursday_1630) == monday + TICK


def test_exactly_the_target_at_the_closing_time_lasts_until_the_next_opening() -> None:
    assert office(60).stale_at(utc(4, 21)) == utc(7, 14) + TICK


def test_announced_maintenance_makes_nothing_older() -> None:
    windows = joined([(utc(1, 9), utc(1, 11)), (utc(1, 8, 30), utc(1, 9)), (utc(1, 10), utc(1, 10, 30))])
    rule = Freshness(timedelta(hours=1), Without(Freshness().business, tuple(windows)))
    assert rule.stale_at(utc(1, 8)) == utc(1, 11, 30) + TICK


def test_a_calendar_that_never_opens_keeps_nothing_fresh_for_ever() -> None:
    closed = Calendar([Hours(date(2020, 1, 1), "UTC", ((),) * 7)])
    assert Freshness(timedelta(hours=1), closed).stale_at(utc(1, 8)) == utc(1, 9) + TICK


# Around both changes of the clock in New York and in Lord Howe, where it moves by half an hour.
STARTS = st.sampled_from(
    [datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC)]
)
ZONES = st.sampled_from(["America/New_York", "Australia/Lord_Howe", "UTC"])
EDGES = st.lists(st.integers(0, 96), min_size=2, max_size=4, unique=True).filter(lambda edges: len(edges) % 2 == 0)


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    def day() -> Windows:
        edges = sorted(draw(EDGES))
        return tuple((15 * a, 15 * b) for a, b in zip(edges[::2], edges[1::2], strict=True))

    return Hours(date(2020, 1, 1), draw(ZONES), tuple(day() for _ in range(7)))


@settings(max_examples=40, deadline=None)
@given(
    hours(),
    STARTS,
    st.integers(0, 2 * 1440),
    st.integers(1, 600),
    st.lists(st.tuples(st.integers(0, 4 * 1440), st.integers(1, 900)), max_size=3),
)
def test_it_is_the_first_minute_that_is_too_many(
    week: Hours, start: datetime, offset: int, target: int, pauses: list[tuple[int, int]]
) -> None:
    stretches = [(start + a * MINUTE, start + (a + n) * MINUTE) for a, n in pauses]
    rule = Freshness(target * MINUTE, Without(Calendar([week]), tuple(joined(stretches))))
    slow, minute, count = SlowCalendar([week]), start + offset * MINUTE, 0
    while True:
        is_open = slow.share(minute) > 0 and not any(a <= minute < b for a, b in stretches)
        if is_open and count == target:
            break
        count += is_open
        minute += MINUTE
    assert rule.stale_at(start + offset * MINUTE) == minute + TICK


@given(st.integers(-600, 600))
def test_a_reading_is_usable_from_the_skew_before_its_watermark_until_it_is_stale(minutes: int) -> None:
    mark = utc(1, 12)
    reading = Reading(mark, 60 * MINUTE)
    trouble = reading.trouble(mark + minutes * MINUTE)
    assert (trouble is None) is (-5 <= minutes <= 60)
    assert minutes >= -5 or "ahead of our clock" in str(trouble)


def source(**said: object) -> dict[str, object]:
    files = {"connector": "files", "roles": ["usage"], "mapping": "metering", "settings": {"folder": "in"}}
    return {"sources": {"meter": {**files, **said}}, "owners": str(OWNERS)}


def test_the_file_says_calendar_and_maintenance() -> None:
    window = {"from": "2026-12-01T15:00:00Z", "to": "2026-12-01T16:00:00Z", "reason": "release"}
    said = source(freshness_calendar="us-east", maintenance=[window], freshness_minutes=90)
    rule = Installation(parse(said, Path())).freshness["meter"]
    assert rule.stale_at(utc(1, 14)) == utc(1, 16, 30) + TICK


def test_a_calendar_that_is_not_there_is_named_with_those_that_are() -> None:
    installed = Installation(parse(source(freshness_calendar="moon"), Path()))
    with pytest.raises(
        ConfigError, match=r"sources\.meter\.freshness_calendar: .* has no calendar 'moon'; it has us-east"
    ):
        _ = installed.freshness


def test_maintenance_ends_after_it_begins_and_knows_its_zone() -> None:
    for wrong, sentence in (
        ({"from": "2026-12-01T15:00:00Z", "to": "2026-12-01T15:00:00Z", "reason": "r"}, "does not end later"),
        ({"from": "2026-12-01T15:00:00", "to": "2026-12-01T16:00:00Z", "reason": "r"}, "timezone"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            parse(source(maintenance=[wrong]), Path())


def test_a_rule_without_words_is_the_wall_clock() -> None:
    said = parse(source(freshness_minutes=30), Path()).sources["meter"]
    assert freshness_of(said, {}, MINUTE).stale_at(utc(1, 8)) == utc(1, 8, 30) + TICK
