from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console import words

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("1234567.5", "USD", "1,234,567.50"),
        ("0", "USD", "0.00"),
        ("900.0000", "EUR", "900.00"),
        ("1200", "JPY", "1,200"),
        ("1200.5", "JPY", "1,200.5"),
        ("0.0005", "USD", "0.0005"),
        ("12.3", "KWD", "12.300"),
        ("-3", "USD", "−3.00"),
        ("7", None, "7.00"),
    ],
)
def test_money_has_the_digits_of_its_currency(amount: str, currency: str | None, written: str) -> None:
    assert words.money(Decimal(amount), currency) == written


@given(st.decimals(min_value=0, max_value=Decimal(10) ** 15, places=4))
def test_no_digit_of_an_amount_is_lost(amount: Decimal) -> None:
    assert Decimal(words.money(amount, "USD").replace(",", "")) == amount


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "in 5 min"),
        (timedelta(minutes=-119), "119 min ago"),
        (timedelta(hours=-3), "3 h ago"),
        (timedelta(hours=47), "in 47 h"),
        (timedelta(days=-12), "12 days ago"),
        (timedelta(days=-400), "13 months ago"),
    ],
)
def test_relative_times_name_their_largest_unit(length: timedelta, written: str) -> None:
    assert words.relative(NOON + length, NOON) == written


def test_working_time_has_no_days() -> None:
    assert words.hours(timedelta(hours=26, minutes=30)) == "26 h 30 min"
    assert words.hours(timedelta(hours=-2)) == "2 h"
    assert words.hours(timedelta(minutes=9, seconds=59)) == "9 min"


def test_instants_are_written_in_utc() -> None:
    berlin = datetime.fromisoformat("2026-12-01T00:30+01:00")
    assert words.instant(berlin) == "30 Nov 2026, 23:30 UTC"
    assert words.brief(berlin) == "30 Nov 23:30"


def test_a_half_open_period_is_written_by_its_last_day() -> None:
    assert words.period(date(2026, 11, 1), date(2026, 12, 1)) == "1 Nov 2026 – 30 Nov 2026"
    assert words.period(date(2026, 11, 1), date(2026, 11, 2)) == "1 Nov 2026"
    assert words.period(None, None) == "—"


def test_names_of_the_code_become_words() -> None:
    assert words.title("invoice_not_in_erp") == "Invoice not in ERP"
    assert words.state("pending_customer") == "Waiting for customer"
    assert words.system("netsuite") == "NetSuite"
