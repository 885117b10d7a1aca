from datetime import UTC, date, datetime
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


def event(ledger: Ledger, day: date, **columns: Any) -> Ledger:
    """One call on the subscription, at noon."""
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    said = {"subscription_number": "N-S1", "meter": "calls", "quantity": Decimal(5), "happened_at": at, **columns}
    return ledger.add("usage_events", "usage", f"EV-{day}", **said)


def unused() -> Ledger:
    return lapsed().remove("entitlements", "E10", "E11")


def test_calls_prove_the_service_of_every_line_of_the_contract() -> None:
    """For two months the last call was a few days ago; where it is long ago, its own day is the last."""
    ledger = unused().contract_line("CL2", product_code="SUPPORT", quantity=Decimal(1), end_date=date(2026, 10, 1))
    found = findings(CHECK, event(ledger, date(2026, 11, 27)))
    assert [(f.subject, f.terms["days"]) for f in found] == [("CL1", Decimal(61)), ("CL2", Decimal(61))]
    assert only(CHECK, event(unused(), date(2026, 10, 9))).terms["days"] == 9


def test_what_was_found_idle_since_is_not_in_use() -> None:
    ledger = lapsed().change("entitlements", "E11", active_quantity=Decimal(0))
    assert only(CHECK, ledger).terms["days"] == 31


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
        "notice was given": lapsed().add(
            "opportunities", "crm", "O9", **{**deal, "is_closed": False, "stage": "Notice Given"}
        ),
        "a test call": event(unused(), date(2026, 11, 27), is_test=True),
        "a heartbeat": event(unused(), date(2026, 11, 27), is_heartbeat=True),
        "a call on the last day": event(unused(), date(2026, 9, 30)),
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
