from datetime import date
from decimal import Decimal

import pytest

from checks.contract import Mode, Outcome, Scope, Severity
from tests.checks.broken_links.states import plan, stray_line
from tests.checks.kit import Ledger, ask, clean, findings, only, seats

CHECK = "orphan_child_record"


def test_lines_of_an_invoice_that_nobody_has_are_worth_their_sum() -> None:
    finding = only(CHECK, stray_line(stray_line(), "INVX-2", amount=Decimal("50.25")))
    assert (finding.amount, finding.record.entity, finding.subject) == (
        Decimal("350.25"),
        "invoice_lines",
        "invoice_lines/INVX/USD",
    )
    assert (finding.severity, finding.mode, finding.scope) == (Severity.S2, Mode.BLOCK, Scope.INVOICE)
    assert "2 of the invoice_lines of billing have no parent in its invoices" in finding.message
    assert "(it names none)" in only(CHECK, stray_line(invoice_key=None)).message


def test_a_line_of_no_subscription_is_worth_a_period_and_names_the_draft_that_bills_it() -> None:
    ledger = clean().subscription_line("SL2", "GONE", billing_months=3)
    ledger.invoice("INVD", date(2026, 12, 1), seats(12), status="draft")
    (finding,) = [f for f in findings(CHECK, ledger) if f.record.entity == "subscription_lines"]
    assert [finding.amount, finding.invoice_key] == [60_000, None]
    named = ledger.change("invoice_lines", "INVD-1", subscription_line_key="SL2")
    (finding,) = [f for f in findings(CHECK, named) if f.record.entity == "subscription_lines"]
    assert finding.invoice_key == "INVD"


def test_a_revenue_plan_of_no_line_is_found_in_the_erp() -> None:
    finding = only(CHECK, plan())
    assert (finding.record.system, finding.record.entity) == ("erp", "revenue_schedules")
    assert finding.amount == 1200


@pytest.mark.parametrize("status", ["deleted", "live"])
def test_a_parent_that_was_archived_is_one(status: str) -> None:
    ledger = stray_line().invoice("INVX", date(2026, 11, 1), deleted=status == "deleted")
    assert findings(CHECK, ledger) == ()


def test_parents_that_are_hidden_all_at_once_are_not_called_gone() -> None:
    ledger = clean()
    for n in range(20):
        stray_line(ledger, f"X{n}", invoice_key=f"HIDDEN{n}")
    assert ask(CHECK, ledger).outcome is Outcome.NOT_EVALUATED
    few = Ledger({**clean().rows})
    for n in range(19):
        stray_line(few, f"X{n}", invoice_key=f"HIDDEN{n}")
    assert len(findings(CHECK, few)) == 19
