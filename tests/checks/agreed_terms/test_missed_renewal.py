from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.checks.agreed_terms.states import lapsed
from tests.checks.kit import Ledger, findings, only

CHECK = "missed_renewal"


def test_each_day_since_the_end_counts() -> None:
    """240,000 a year × 61 days ÷ 365: October and November, in which 480 seats were active."""
    finding = only(CHECK, lapsed())
    assert (str(finding.record), finding.terms["days"]) == ("crm/contract_lines/CL1", Decimal(61))
    assert (finding.amount, finding.kind, finding.severity) == (Decimal("40109.59"), "leak", "S1")


def test_billing_that_is_still_active_proves_service_too() -> None:
    ledger = lapsed().remove("entitlements", "E10", "E11")
    assert findings(CHECK, ledger) == ()
    ledger.change("subscriptions", "S1", end_date=None).change("subscription_lines", "SL1", end_date=None)
    assert only(CHECK, ledger).terms["days"] == 61


def renewed(start: date = date(2026, 10, 1), **columns: Any) -> Ledger:
    said = {"start_date": start, "end_date": date(2027, 10, 1)}
    return lapsed().contract("K2", **said, **columns).contract_line("CL2", "K2", **said)


def looks_alike() -> dict[str, Ledger]:
    deal = {"type": "Renewal", "renews_key": "K1", "is_closed": True, "is_won": False, "stage": "Closed Lost"}
    billed = lapsed()
    for month in (10, 11):
        line = {"period_start": date(2026, month, 1), "period_end": date(2026, month + 1, 1), "amount": Decimal(20_000)}
        billed.invoice(f"INV{month}", date(2026, month, 1), line)
    return {
        "it holds over": lapsed(holds_over=True),
        "it renews by itself": lapsed(auto_renews=True),
        "cancelled": lapsed(status="cancelled", cancelled_date=date(2026, 10, 1)),
        "the customer leaves": lapsed().add("opportunities", "crm", "O9", **deal),
        "renewed": renewed(renews_key="K1"),
        "renewed without a link": renewed(),
        "the days after it are billed": billed,
        "only trial seats": lapsed().change("entitlements", "E10", is_trial=True).change(
            "entitlements", "E11", is_trial=True
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_contract_much_later_or_a_renewal_in_negotiation_is_no_renewal() -> None:
    assert only(CHECK, renewed(date(2026, 11, 15))).subject == "CL1"
    deal = {"type": "Renewal", "renews_key": "K1", "is_closed": False, "is_won": False, "stage": "Negotiation"}
    assert only(CHECK, lapsed().add("opportunities", "crm", "O9", **deal)).subject == "CL1"
