"""Values become exactly what they say, or are refused: never rounded, never guessed."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.columns import Kind
from connectors.transforms import (
    DECIMALS,
    BadValue,
    absolute_of,
    after_underscore,
    bound_of,
    day,
    day_after,
    decimal_of,
    flag,
    hundredths_of,
    instant_in,
    month_end,
    month_start,
    months_of,
    names_for,
    negate_of,
    text,
    transform,
    whole,
)

money = decimal_of(Kind.MONEY)
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=40),
    st.integers(),
    st.booleans(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.decimals().map(str),
    st.datetimes().map(str),
    st.dates().map(str),
)


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_money_keeps_every_digit(units: int) -> None:
    amount = Decimal(units).scaleb(-4)
    assert money(format(amount, "f")) == amount
    assert money(format(amount, "E")) == amount


@given(st.sampled_from(sorted(DECIMALS, key=str)), st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_decimal_is_exact_or_refused(kind: Kind, number: Decimal) -> None:
    digits, places = DECIMALS[kind]
    with localcontext(prec=60):
        fits = number == round(number, places) and abs(number) < Decimal(10) ** (digits - places)
    try:
        assert decimal_of(kind)(str(number)) == number
        assert fits
    except BadValue:
        assert not fits


@pytest.mark.parametrize(
    "bad",
    ["0.00001", "100000000000000", "1,000.00", "1_000", "NaN", "Infinity", "-sNaN", "", "١٢", True, 1.5, [1], "1e99"],
)
def test_money_that_is_not_a_number_of_the_column_is_refused(bad: Any) -> None:
    with pytest.raises(BadValue):
        money(bad)


@given(st.decimals(-1000, 1000, places=4))
def test_signs(amount: Decimal) -> None:
    assert negate_of(Kind.MONEY)(str(amount)) == -amount
    assert absolute_of(Kind.MONEY)(str(amount)) == abs(amount)
    assert hundredths_of(Kind.QUANTITY)(str(amount)) * 100 == amount
    assert bound_of(Kind.MONEY)(str(amount)) == (amount if amount >= 0 else None)
    assert not negate_of(Kind.MONEY)("0").is_signed()


def test_cents_and_capitals() -> None:
    cents = transform("hundredths", Kind.MONEY, {}, None)
    assert [cents(value) for value in ("1999", 5, "-2.5")] == [Decimal("19.99"), Decimal("0.05"), Decimal("-0.025")]
    for bad in ("1e-9", "1e999999", "many", "9" * 17):
        with pytest.raises(BadValue):
            cents(bad)
    assert transform("upper", Kind.TEXT, {}, None)("eur") == "EUR"


@pytest.mark.parametrize(("value", "expected"), [("12", 12), ("12.0", 12), (-3, -3), ("1e3", 1000)])
def test_whole(value: Any, expected: int) -> None:
    assert whole(value) == expected


@pytest.mark.parametrize("bad", ["12.5", "9223372036854775808", "1e400", "x", True])
def test_what_is_not_whole(bad: Any) -> None:
    with pytest.raises(BadValue):
        whole(bad)


@pytest.mark.parametrize("yes", [True, "true", "TRUE", "T", "1", 1, "yes", "Y"])
def test_yes(yes: Any) -> None:
    assert flag(yes) is True


@pytest.mark.parametrize("no", [False, "false", "F", "0", 0, "no", " N "])
def test_no(no: Any) -> None:
    assert flag(no) is False


@pytest.mark.parametrize("neither", ["maybe", 2, "-1", "on", []])
def test_neither_yes_nor_no(neither: Any) -> None:
    with pytest.raises(BadValue):
        flag(neither)


@given(st.dates(max_value=date.max - timedelta(days=1)))
def test_an_inclusive_end_becomes_the_day_after(last: date) -> None:
    assert day_after(last.isoformat()) == last + timedelta(days=1)
    assert day_after(f"{last.isoformat()} 00:00:00") == last + timedelta(days=1)


def test_the_last_day_of_all_has_none_after_it() -> None:
    with pytest.raises(BadValue, match="no day after"):
        day_after("9999-12-31")


@given(st.dates(max_value=date(9999, 11, 30)))
def test_a_month_is_half_open(within: date) -> None:
    start, end = month_start(within.isoformat()[:7]), month_end(within.isoformat()[:7])
    assert start <= within < end
    assert start.day == end.day == 1
    assert (end - timedelta(days=1)).month == start.month


@pytest.mark.parametrize("bad", ["2026-02-30", "20260101", "2026-W01-1", "01.02.2026", "2026-1-1", 20260101])
def test_days_are_written_in_one_way(bad: Any) -> None:
    with pytest.raises(BadValue):
        day(bad)


@pytest.mark.parametrize(
    "written",
    ["2026-05-07T22:07:19.000+0000", "2026-05-07T22:07:19Z", "2026-05-07T14:07:19.000-08:00", "2026-05-08 00:07:19+02"],
)
def test_instants_of_every_vendor(written: str) -> None:
    assert instant_in(None)(written) == datetime(2026, 5, 7, 22, 7, 19, tzinfo=UTC)


def test_an_instant_without_an_offset_needs_a_zone() -> None:
    with pytest.raises(BadValue, match="names no time zone"):
        instant_in(None)("2026-05-07 22:07:19")
    assert instant_in(ZoneInfo("Europe/Berlin"))("2026-05-07 22:07:19") == datetime(2026, 5, 7, 20, 7, 19, tzinfo=UTC)


@pytest.mark.parametrize("bad", ["2026-05-07", "0001-01-01T00:00:00+14:00", "yesterday", 1746655639])
def test_what_is_no_instant(bad: Any) -> None:
    with pytest.raises(BadValue):
        instant_in(None)(bad)


@pytest.mark.parametrize(
    ("word", "months"),
    [("Monthly", 1), ("Quarter", 3), ("Semi_Annual", 6), ("semi-annual", 6), ("Semiannual", 6), ("Annual", 12)],
)
def test_words_for_billing_periods(word: str, months: int) -> None:
    assert months_of({})(word) == months


def test_a_billing_period_of_ones_own() -> None:
    assert months_of({"Invoice Plan": None})("Invoice Plan") is None
    with pytest.raises(BadValue, match="no known billing period"):
        months_of({})("Invoice Plan")


def test_the_number_behind_the_underscore() -> None:
    assert after_underscore("CustInvc_4711") == "4711"
    for bad in ("4711", "CustInvc_"):
        with pytest.raises(BadValue):
            after_underscore(bad)


def test_text_that_cannot_be_stored() -> None:
    assert text("A\0cme") == "Acme"
    with pytest.raises(BadValue):
        text("\ud800")


@given(st.sampled_from(list(Kind)), st.data(), ANYTHING)
def test_no_transform_raises_anything_but_bad_value(kind: Kind, data: st.DataObject, value: Any) -> None:
    convert = transform(data.draw(st.sampled_from(names_for(kind))), kind, {"x": None}, None)
    with suppress(BadValue):
        convert(value)
