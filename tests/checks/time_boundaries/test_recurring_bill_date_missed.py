from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind
from tests.checks.kit import NOW, Ledger, ask, clean, findings, only, seats
from tests.checks.time_boundaries.states import still_a_draft

CHECK = "recurring_bill_date_missed"


def test_a_draft_of_a_bill_date_that_has_passed() -> None:
    finding = only(CHECK, still_a_draft())
    assert (str(finding.record), finding.invoice_key) == ("billing/invoice_lines/INV11-1", "INV11")
    assert (finding.amount, finding.kind) == (Decimal("20000.00"), MoneyKind.LEAK)


def test_within_a_period_it_is_late_and_within_the_grace_it_is_not() -> None:
    ledger = still_a_draft(12)
    assert ask(CHECK, ledger).wake_ups == (datetime(2026, 12, 5, tzinfo=UTC),)
    assert only(CHECK, ledger, now=datetime(2026, 12, 5, tzinfo=UTC)).kind is MoneyKind.TIMING


def held(**columns: Any) -> Ledger:
    return still_a_draft().add("holds", "controls", "H1", held_at=NOW, **columns)


def paid_by_the_parent() -> Ledger:
    """The parent is billed on the 28th; the child's draft of the first waits for it."""
    ledger = still_a_draft(12).account("A2", bill_day=28)
    return ledger.change_account(invoice_owner_key="A2")


def moved() -> Ledger:
    """Since the bill day was moved, periods fall due on the 20th."""
    return still_a_draft(12).change_account(bill_day=20)


@pytest.mark.parametrize("ledger", [paid_by_the_parent(), moved()])
def test_the_bill_day_of_the_account_that_pays_counts(ledger: Ledger) -> None:
    assert findings(CHECK, ledger, now=datetime(2026, 12, 22, tzinfo=UTC)) == ()
    assert len(findings(CHECK, ledger, now=datetime(2027, 1, 2, tzinfo=UTC))) == 1


def looks_alike() -> dict[str, Ledger]:
    gone = clean().remove("invoices", "INV11").remove("invoice_lines", "INV11-1")
    return {
        "posted": clean(),
        "no invoice at all: another check's": gone,
        "held": held(invoice_key="INV11"),
        "the whole run is held": held(run_key="R11").change("invoices", "INV11", run_key="R11"),
        "billed by another invoice": still_a_draft().invoice("INVX", date(2026, 11, 9), seats(11)),
        "suspended": still_a_draft().change("subscriptions", "S1", status="suspended"),
        "a test account": still_a_draft().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_hold_that_was_released_holds_nothing() -> None:
    assert len(findings(CHECK, held(invoice_key="INV11", released_at=NOW))) == 1
