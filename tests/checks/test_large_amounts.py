"""A customer who pays a trillion yen a month: nothing overflows, and one yen is not lost."""

from decimal import Decimal

import pytest

from checks.contract import Outcome
from tests.checks.broken import BROKEN, found
from tests.checks.kit import Ledger, ask, clean, only

PRICE = Decimal(2_000_000_000)  # of one of 500 seats
MONTH = Decimal(10**12)
MONEY = ("unit_price", "amount", "total")


def in_yen(ledger: Ledger) -> Ledger:
    """The same books with every price and amount fifty million times as large, in yen."""
    for entity, rows in ledger.rows.items():
        for row in rows:
            row.update({name: row[name] * 50_000_000 for name in MONEY if row.get(name) is not None})
            if entity not in ("usage_events", "shipments"):
                row.update({name: "JPY" for name in ("currency",) if name in row})
    return ledger


SCALED = (
    "order_lines_missing_in_billing",
    "amendment_without_billing_schedule",
    "subscription_line_without_schedule",
    "cancelled_still_billing",
    "duplicate_invoice_line",
    "contract_terms_vs_billing",
    "missing_expected_invoice",
    "invoice_not_in_erp",
)


@pytest.mark.parametrize("check", SCALED)
def test_amounts_scale_to_the_yen(check: str) -> None:
    (small,), large = found(check), only(check, in_yen(BROKEN[check]()))
    assert large.currency == "JPY"
    assert abs(large.amount - small.amount * 50_000_000) <= 50_000_000 * Decimal("0.005")
    assert large.amount == large.amount.to_integral_value()
    assert large.amount >= 10**9


@pytest.mark.parametrize("check", [c for c in SCALED if c != "invoice_not_in_erp"])
def test_a_clean_customer_stays_clean(check: str) -> None:
    assert ask(check, in_yen(clean())).outcome is Outcome.PASSED


def test_the_exact_amounts() -> None:
    assert only("missing_expected_invoice", in_yen(BROKEN["missing_expected_invoice"]())).amount == MONTH
    assert only("duplicate_invoice_line", in_yen(BROKEN["duplicate_invoice_line"]())).amount == MONTH
    assert only("contract_terms_vs_billing", in_yen(BROKEN["contract_terms_vs_billing"]())).amount == MONTH / 10
    ledger = in_yen(clean())
    assert ledger.rows["subscription_lines"][0]["unit_price"] == PRICE
    ledger.change("invoices", "INV12", total=MONTH + 1)
    assert only("invoice_math_error", ledger).amount == Decimal(1)
