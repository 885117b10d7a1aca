from datetime import date
from decimal import Decimal

import pytest

from tests.checks.broken_links.states import renewed
from tests.checks.kit import Ledger, findings, only

CHECK = "renewal_chain_broken"


def test_what_runs_on_overlaps_and_what_stopped_early_leaves_a_gap() -> None:
    """240,000 a year × 61 days ÷ 365, and × 30."""
    overlap = only(CHECK, renewed(date(2026, 12, 1)))
    assert (str(overlap.record), overlap.amount) == ("crm/contracts/K2", Decimal("40109.59"))
    assert "begins while the contract before it still runs" in overlap.message
    gap = only(CHECK, renewed(date(2026, 9, 1)))
    assert (gap.amount, gap.terms["days"]) == (Decimal("19726.03"), Decimal(30))


def test_billing_may_run_longer_than_the_contract() -> None:
    ledger = renewed().change("subscriptions", "S1", end_date=None).change("subscription_lines", "SL1", end_date=None)
    assert only(CHECK, ledger).terms["days"] == 61


def test_a_renewal_without_a_link_is_found_by_customer_and_product() -> None:
    finding = only(CHECK, renewed(date(2026, 9, 16), link=None))
    assert (finding.terms["days"], finding.amount) == (Decimal(15), Decimal("9863.01"))
    assert "names no contract that it renews" in finding.message


def looks_alike() -> dict[str, Ledger]:
    other = renewed(link=None).change("contract_lines", "CL2", product_code="SUPPORT")
    return {
        "linked without a gap": renewed(),
        "bought again after half a year": renewed(date(2026, 4, 1), link=None),
        "another product": other,
        "a second contract of new business": renewed(link=None).change("opportunities", "O2", type="New Business"),
        "replaced, and over in billing": renewed(date(2026, 12, 1))
        .change("contracts", "K1", status="superseded")
        .change("subscriptions", "S1", status="cancelled"),
        "held over until it was signed": renewed(date(2026, 8, 1)).change("contracts", "K1", holds_over=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
