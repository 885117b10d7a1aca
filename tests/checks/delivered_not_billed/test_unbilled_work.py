from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Outcome
from tests.checks.delivered_not_billed.states import APPROVED, with_services, worked
from tests.checks.kit import NOW, Ledger, ask, findings, only

CHECK = "unbilled_work"


def invoiced(ledger: Ledger, amount: int, **columns: Any) -> Ledger:
    line = {"line_version_key": "SL7", "product_code": "HOURS", "amount": Decimal(amount), **columns}
    return ledger.invoice("INVW", date(2026, 11, 5), line)


def test_hours_cost_the_contracts_rate_and_expenses_what_they_are() -> None:
    ledger = worked(worked(), "W2", kind="expense", quantity=None, amount=Decimal("310.50"))
    assert [(f.record.key, f.amount) for f in findings(CHECK, ledger)] == [("W1", 1200), ("W2", Decimal("310.50"))]
    assert "8 × 150 + 0 − 0" in findings(CHECK, ledger)[0].arithmetic


def test_what_was_invoiced_pays_for_the_earliest_first() -> None:
    ledger = worked(worked(), "W2", approved_at=APPROVED + timedelta(days=1))
    finding = only(CHECK, invoiced(ledger, 2000))
    assert (finding.record.key, finding.expected, finding.actual, finding.amount) == (
        "W2",
        Decimal(1200),
        Decimal(800),
        Decimal(400),
    )
    assert findings(CHECK, invoiced(worked(), 1200)) == ()


def test_a_line_that_an_item_names_pays_for_it_alone() -> None:
    ledger = worked(worked(key="W0", approved_at=APPROVED - timedelta(days=9)), "W1", invoice_line_key="INVW-1")
    assert only(CHECK, invoiced(ledger, 1200)).record.key == "W0"
    void = invoiced(worked(invoice_line_key="INVW-1"), 1200)
    assert findings(CHECK, void) == ()
    assert only(CHECK, void.change("invoices", "INVW", status="void")).amount == 1200


@pytest.mark.parametrize("rule", ["fixed_fee", "retainer"])
def test_a_fee_pays_for_hours_and_not_for_milestones(rule: str) -> None:
    ledger = with_services(billing_rule=rule)
    assert findings(CHECK, worked(ledger)) == ()
    milestone = worked(ledger, "W2", kind="milestone", quantity=None, amount=Decimal(5000))
    assert only(CHECK, milestone).amount == 5000


def test_a_cap_leaves_what_fits_below_it() -> None:
    ledger = with_services(billing_rule="capped", cap_amount=Decimal(2000))
    for day in range(3):
        worked(ledger, f"W{day}", approved_at=APPROVED + timedelta(days=day))
    assert [(f.record.key, f.amount) for f in findings(CHECK, ledger)] == [("W0", Decimal(1200)), ("W1", Decimal(800))]


def test_it_must_be_approved_and_settled() -> None:
    assert findings(CHECK, worked(status="submitted")) == ()
    lately = NOW - timedelta(days=35)
    assert only(CHECK, worked(approved_at=lately)).amount == 1200
    evaluation = ask(CHECK, worked(approved_at=lately + timedelta(seconds=1)))
    assert (evaluation.outcome, len(evaluation.wake_ups)) == (Outcome.PASSED, 1)


def test_new_work_does_not_pay_for_the_old() -> None:
    """The invoice of 5 November could have held what was approved by 2 November; it holds eight hours too few."""
    ledger = invoiced(worked(worked(), "W2", approved_at=datetime(2026, 11, 2, 9, tzinfo=UTC)), 1200)
    finding = only(CHECK, ledger)
    assert (finding.record.key, finding.fails_from) == ("W2", datetime(2026, 11, 5, tzinfo=UTC))
    evaluation = ask(
        CHECK, invoiced(ledger.change("work_items", "W2", approved_at=datetime(2026, 11, 3, tzinfo=UTC)), 1200)
    )
    assert evaluation.findings == ()


def test_without_a_rate_it_is_not_judged() -> None:
    evaluation = ask(CHECK, worked(with_services().change("contract_lines", "CL7", unit_price=None)))
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert "unit_price" in str(evaluation.reason)
