"""The billing calendar of the company."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.company.periods import add_months, bill_day_after, bill_day_before, months_billed, period_of, periods

DAYS = st.dates(date(2023, 1, 1), date(2029, 12, 31))
BILL_DAYS = st.integers(1, 28)
LENGTHS = st.sampled_from((1, 3, 6, 12))


@given(DAYS, BILL_DAYS)
def test_a_day_lies_between_its_bill_days(day: date, bill_day: int) -> None:
    before, after = bill_day_before(day, bill_day), bill_day_after(day, bill_day)
    assert before <= day <= after
    assert {before.day, after.day} == {bill_day}
    assert (before == after) == (day.day == bill_day)


@given(DAYS, DAYS, BILL_DAYS, LENGTHS)
def test_a_period_holds_its_day_and_is_as_long_as_agreed(day: date, anchor: date, bill_day: int, months: int) -> None:
    start, end = period_of(day, bill_day_before(anchor, bill_day), months)
    assert start <= day < end
    assert add_months(start, months) == end


@given(DAYS, st.integers(1, 900), BILL_DAYS, LENGTHS)
def test_periods_follow_each_other_and_fill_the_term(start: date, days: int, bill_day: int, months: int) -> None:
    end = start + timedelta(days=days)
    found = list(periods(start, end, bill_day_before(start, bill_day), months, end))
    assert [first for first, _ in found] == [start, *(last for _, last in found[:-1])]
    assert found[-1][1] == end


@given(DAYS, BILL_DAYS, LENGTHS, st.data())
def test_the_parts_of_a_period_come_to_its_months(
    anchor: date, bill_day: int, months: int, data: st.DataObject
) -> None:
    start, end = period_of(anchor, bill_day_before(anchor, bill_day), months)
    cut = start + timedelta(days=data.draw(st.integers(1, (end - start).days - 1)))
    parts = [months_billed(*part, start, months) for part in ((start, cut), (cut, end))]
    assert sum(parts) == months
    assert min(parts) > 0


@pytest.mark.parametrize(
    ("start", "end", "months", "expected"),
    [
        (date(2026, 3, 17), date(2026, 4, 1), 1, Fraction(15, 31)),
        (date(2026, 11, 1), date(2027, 1, 1), 3, Fraction(3 * 61, 92)),
        (date(2026, 9, 1), date(2027, 3, 1), 12, Fraction(12 * 181, 365)),
    ],
)
def test_parts_count_days_over_the_days_of_the_whole(start: date, end: date, months: int, expected: Fraction) -> None:
    anchor = {1: date(2026, 3, 1), 3: date(2026, 10, 1), 12: date(2026, 3, 1)}[months]
    assert months_billed(start, end, anchor, months) == expected
