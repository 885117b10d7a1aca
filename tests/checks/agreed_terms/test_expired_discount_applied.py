from datetime import date
from decimal import Decimal

import pytest

from tests.checks.agreed_terms.states import discounted
from tests.checks.kit import Ledger, ask, findings, only, seats

CHECK = "expired_discount_applied"


def test_the_discount_of_each_period_is_a_leak() -> None:
    finding = only(CHECK, discounted())
    assert (finding.amount, finding.kind, finding.expected) == (Decimal("2000.00"), "leak", Decimal("20000.00"))
    assert "«Summer» ended before 2026-10-01" in finding.message
    assert findings("contract_terms_vs_billing", discounted()) == ()


def test_the_line_of_the_discount_itself_is_named() -> None:
    ledger = discounted("20000").add(
        "invoice_lines", "billing", "INV12-2",
        **seats(12, invoice_key="INV12", line_version_key="SL1", charge_type="discount", amount=Decimal(-2_000)),
    )  # fmt: skip
    assert only(CHECK, ledger).record.key == "INV12-2"


def test_an_amount_off_each_period() -> None:
    ledger = discounted("18500", rate=None, amount=Decimal(1_500))
    for month in (7, 8, 9):
        ledger.change("invoice_lines", f"INV{month}-1", amount=Decimal(18_500))
    assert only(CHECK, ledger).amount == Decimal("1500.00")


def looks_alike() -> dict[str, Ledger]:
    renewed = discounted().add(
        "discounts", "crm", "D2", name="Summer", contract_line_key="CL1", rate=Decimal("0.1"),
        start_date=date(2026, 12, 1),
    )  # fmt: skip
    return {
        "the full price again": discounted("20000"),
        "renewed": renewed,
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
    assert findings("contract_terms_vs_billing", looks_alike()[name]) == ()


def test_the_discount_of_the_first_day_holds_for_the_period() -> None:
    ledger = discounted(end_date=date(2026, 12, 2))
    for month in (10, 11):
        ledger.change("invoice_lines", f"INV{month}-1", amount=Decimal(18_000))
    assert findings(CHECK, ledger) == ()
    assert findings("contract_terms_vs_billing", ledger) == ()


def test_what_is_off_by_another_amount_is_another_matter() -> None:
    assert findings(CHECK, discounted("18500")) == ()
    assert only("contract_terms_vs_billing", discounted("18500")).amount == Decimal("1500.00")


def test_billing_own_discounts_count_where_the_crm_has_none() -> None:
    ledger = discounted()
    ledger.rows["discounts"][0]["system"] = "billing"
    assert findings(CHECK, ledger) == ()
    unmapped = [("crm", "discounts")]
    assert [f.amount for f in ask(CHECK, ledger, unmapped=unmapped).findings] == [Decimal("2000.00")]
