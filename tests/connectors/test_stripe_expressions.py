"""Computed fields of Stripe's records: exact amounts in any currency, moments and days, and what cannot be computed."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import MappingError
from connectors.stripe.currencies import NONE, THREE, major, places
from connectors.stripe.expressions import Expressions

NEW_YORK = ZoneInfo("America/New_York")
CURRENCIES = st.sampled_from(["usd", "EUR", "jpy", "KRW", "kwd", "tnd", "isk", "ugx"])


def _computed(name: str, record: dict[str, Any], zone: ZoneInfo = NEW_YORK) -> Any:
    return Expressions.among([name, "plain"], zone).added(record).get(name)


@given(st.integers(-(10**30), 10**30), CURRENCIES)
def test_minor_units_come_back_as_they_were(amount: int, currency: str) -> None:
    text = _computed("money(total)", {"total": amount, "currency": currency})
    assert Decimal(text).scaleb(places(currency)) == amount or abs(amount) >= 10**28
    assert text.replace(".", "").lstrip("-0") == str(abs(amount)).lstrip("0")
    assert len(text.partition(".")[2]) == places(currency)


@given(st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=12), CURRENCIES)
def test_prices_in_fractions_of_a_minor_unit_are_exact(amount: Decimal, currency: str) -> None:
    text = _computed(
        "money(price.unit_amount_decimal)", {"price": {"currency": currency, "unit_amount_decimal": str(amount)}}
    )
    assert Decimal(text) == amount.scaleb(-places(currency))


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1), CURRENCIES)
def test_a_path_into_a_list_is_a_sum(amounts: list[int], currency: str) -> None:
    record = {"currency": currency, "taxes": [{"amount": amount} for amount in amounts]}
    assert Decimal(_computed("money(taxes.amount)", record)) == major(Decimal(sum(amounts)), currency)


@pytest.mark.parametrize(
    ("currency", "amount"), [("usd", "19.99"), ("JPY", "1999"), ("kwd", "1.999"), ("isk", "19.99"), ("ugx", "19.99")]
)
def test_digits_after_the_point_are_those_of_stripe(currency: str, amount: str) -> None:
    assert _computed("money(total)", {"total": 1999, "currency": currency}) == amount
    assert not NONE & THREE


def test_the_nearest_currency_counts() -> None:
    record = {"currency": "jpy", "price": {"currency": "usd", "unit_amount": 150}, "total": 150}
    assert _computed("money(price.unit_amount)", record) == "1.50"
    assert _computed("money(total)", record) == "150"
    assert _computed("money(unit_amount)", {"unit_amount": 5, "_parent": {"currency": "kwd"}}) == "0.005"
    assert _computed("money(pricing.amount)", {"pricing": {"amount": 5}, "currency": "usd"}) == "0.05"


def test_taxes_that_are_included_are_taken_off() -> None:
    taxes = [{"amount": 190, "tax_behavior": "inclusive"}, {"amount": 50, "tax_behavior": "exclusive"}]
    assert _computed("net(amount, taxes, tax_amounts)", {"amount": 1190, "currency": "eur", "taxes": taxes}) == "10.00"
    older = {"amount": 1190, "currency": "eur", "tax_amounts": [{"amount": 190, "inclusive": True}]}
    assert _computed("net(amount, taxes, tax_amounts)", older) == "10.00"
    assert _computed("net(amount, taxes)", {"amount": 1190, "currency": "eur", "taxes": None}) == "11.90"


def test_moments_are_utc_and_days_are_the_accounts() -> None:
    midnight = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
    record = {"created": midnight, "status_transitions": {"paid_at": midnight + 1, "voided_at": None}}
    assert _computed("instant(created)", record) == "2026-12-01T00:00:00+00:00"
    assert _computed("instant(created, status_transitions.paid_at, status_transitions.voided_at)", record) == (
        "2026-12-01T00:00:01+00:00"
    )
    assert _computed("day(created)", record) == "2026-11-30"
    assert _computed("day(created)", record, ZoneInfo("UTC")) == "2026-12-01"
    assert _computed("day(due_date)", record) is None


@given(st.integers(0, 7_000_000_000))
def test_a_day_is_the_day_of_the_zone(moment: int) -> None:
    day = datetime.fromtimestamp(moment, NEW_YORK).date()
    assert _computed("day(at)", {"at": moment}) == day.isoformat()


@pytest.mark.parametrize(
    ("recurring", "months"),
    [
        ({"interval": "month", "interval_count": 3}, 3),
        ({"interval": "year", "interval_count": 1}, 12),
        ({"interval": "week", "interval_count": 2}, None),
        (None, None),
    ],
)
def test_months_of_a_billing_interval(recurring: Any, months: int | None) -> None:
    assert _computed("months(price.recurring)", {"price": {"recurring": recurring}}) == months


def test_a_label_stands_where_there_is_an_amount() -> None:
    name = "label(discount, discount_amounts.amount)"
    assert _computed(name, {"discount_amounts": [{"amount": 5}]}) == "discount"
    assert _computed(name, {"discount_amounts": [{"amount": 0}]}) is None
    assert _computed(name, {"discount_amounts": []}) is None


@pytest.mark.parametrize(
    ("name", "record", "left"),
    [
        ("money(total)", {"total": "many", "currency": "usd"}, "many"),
        ("money(total)", {"total": True, "currency": "usd"}, True),
        ("money(total)", {"total": 5}, "5 of no currency"),
        ("instant(created)", {"created": "now"}, "now"),
        ("day(created)", {"created": 10**20}, 10**20),
        ("months(r)", {"r": {"interval": "month", "interval_count": "two"}}, "two"),
    ],
)
def test_what_cannot_be_computed_is_left_for_the_column_to_refuse(name: str, record: Any, left: Any) -> None:
    assert _computed(name, record) == left


@pytest.mark.parametrize(
    "name", ["total()", "money(a, b)", "net(a)", "day()", "money(a", "label(x)", "sum(a)", "money(a,)"]
)
def test_what_is_not_written_so(name: str) -> None:
    with pytest.raises(MappingError, match="computed by none of"):
        Expressions.among([name], NEW_YORK)
