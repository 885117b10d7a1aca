from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.message import CaseCard
from alerts.rendering import MINOR_UNITS, clean, due, first_due, impact, line, money, span


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("20000.0000", "USD", "20,000.00 USD"),
        ("-5000", "USD", "-5,000.00 USD"),
        ("0.0050", "USD", "0.005 USD"),
        ("1E+3", "EUR", "1,000.00 EUR"),
        ("-0.00", "EUR", "0.00 EUR"),
        ("1000000000000.0000", "JPY", "1,000,000,000,000 JPY"),
        ("1000.5", "JPY", "1,000.5 JPY"),
        ("12.5", "KWD", "12.500 KWD"),
        ("12.5", "CLF", "12.5000 CLF"),
        ("12.5", "ISK", "12.5 ISK"),
        ("12", "XAU", "12.00 XAU"),
    ],
)
def test_money_reads_as_finance_writes_it(amount: str, currency: str, text: str) -> None:
    assert money(Decimal(amount), currency) == text


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=4), st.sampled_from([*MINOR_UNITS, "USD", "EUR"]))
def test_money_loses_nothing(amount: Decimal, currency: str) -> None:
    number, code = money(amount, currency).split()
    assert Decimal(number.replace(",", "")) == amount
    assert code == currency


def test_impact_says_what_happened_to_the_money(card: CaseCard) -> None:
    assert impact(card) == "1,200.00 USD never billed"
    assert impact(replace(card, money_kind="rounding")) == "1,200.00 USD rounding"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=5), "1 min"),
        (timedelta(minutes=35), "35 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=26, minutes=5), "1 d 2 h"),
        (timedelta(days=-3), "3 d"),
        (timedelta(days=10, minutes=10), "10 d 10 min"),
        (timedelta(hours=20), "20 h"),
    ],
)
def test_spans_name_their_two_largest_units(length: timedelta, text: str) -> None:
    assert span(length) == text


@given(st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=4000)))
def test_a_span_is_never_longer_than_the_time_and_never_an_hour_short(length: timedelta) -> None:
    units = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1)}
    words = span(length).split()
    said = sum((int(n) * units[u] for n, u in zip(words[::2], words[1::2], strict=True)), timedelta())
    assert said <= length < said + timedelta(hours=1)


def test_a_deadline_is_named_and_measured(card: CaseCard, now: datetime) -> None:
    assert due(card, now) == "Sat 28 Nov 2026, 17:05 UTC (in 1 d 2 h)"
    assert due(card, now + timedelta(days=2)) == "Sat 28 Nov 2026, 17:05 UTC (overdue by 21 h 55 min)"
    assert due(replace(card, due_text="Mon 30 Nov, 12:00 in Berlin"), now) == "Mon 30 Nov, 12:00 in Berlin"
    assert due(replace(card, due_at=None), now) == "no deadline"


def test_the_earliest_deadline_stands_for_the_group(card: CaseCard, now: datetime) -> None:
    sooner = replace(card, due_at=now + timedelta(hours=1), due_text="today 17:00")
    assert first_due((card, sooner, replace(card, due_at=None)), now) == "today 17:00"
    assert first_due((), now) == "no deadline"


def test_instants_are_shown_in_utc(card: CaseCard, now: datetime) -> None:
    elsewhere = datetime.fromisoformat("2026-11-28T09:05:00+05:30")
    assert due(replace(card, due_at=elsewhere), now) == "Sat 28 Nov 2026, 03:35 UTC (in 12 h 35 min)"
    assert due(replace(card, due_at=elsewhere.astimezone(UTC)), now).startswith("Sat 28 Nov 2026, 03:35 UTC")


def test_direction_overrides_cannot_turn_an_amount_around() -> None:
    assert clean("\u202e00.1\u2066 EUR") == "00.1 EUR"
    assert clean("a\r\nb\x0cc\x00d\ud800") == "a\nb\ncd\ufffd"


@given(st.text(st.characters()), st.integers(1, 100))
def test_a_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    shown = line(text, limit)
    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1
    shown.encode()
