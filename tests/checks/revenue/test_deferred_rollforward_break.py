from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.kit import NOW, Ledger, ask, findings, only
from tests.checks.ledger import booked, entry
from tests.checks.revenue.states import without_posting

CHECK = "deferred_rollforward_break"
OCTOBER = date(2026, 10, 31)


def test_an_invoice_that_was_booked_to_revenue_breaks_its_month_only() -> None:
    finding = only(CHECK, booked().change("ledger_entries", "G3", kind="revenue"))
    assert str(finding.record) == "crm/accounts/A1"
    assert finding.period == (date(2026, 2, 1), date(2026, 3, 1))
    # January's and February's shares were recognised out of nothing.
    assert (finding.expected, finding.actual) == (Decimal("10000.00"), Decimal("-2000.00"))
    assert (finding.amount, finding.kind) == (Decimal("12000.00"), MoneyKind.EXPOSURE)
    assert "erp/ledger_entries/G3" in [str(piece) for piece in finding.evidence]


def test_a_recognition_that_takes_nothing_out_of_deferred_revenue() -> None:
    finding = only(CHECK, booked().change("ledger_entries", "D7", kind="clearing"))
    assert (finding.amount, finding.period[0]) == (Decimal("1000.00"), date(2026, 7, 1))


def test_an_invoice_that_the_ledger_does_not_have() -> None:
    """It counts on its own day, once the ledger has been read for long enough; before the first entry nothing does."""
    assert only(CHECK, without_posting()).amount == Decimal("600.00")
    assert findings(CHECK, without_posting(invoice_date=date(2026, 1, 31))) == ()
    assert ask(CHECK, without_posting(modified_at=NOW)).outcome is Outcome.NOT_EVALUATED


def test_a_period_that_has_only_just_ended_is_left_to_settle() -> None:
    ledger = booked().change("ledger_entries", "D10", kind="clearing")
    assert findings(CHECK, ledger, now=datetime(2026, 11, 3, 23, 59, tzinfo=UTC)) == ()
    assert only(CHECK, ledger, now=datetime(2026, 11, 4, tzinfo=UTC)).period[0] == date(2026, 10, 1)


def own_lines() -> dict[str, Ledger]:
    def posted(kind: str, other: str, origin: str, amount: int) -> Ledger:
        ledger = entry(booked(), "X1", "JE1", kind, origin, amount, OCTOBER)
        return entry(ledger, "X2", "JE1", other, origin, -amount, OCTOBER)

    return {
        "revaluation": posted("deferred_revenue", "fx_revaluation", "revaluation", -70),
        "a journal by hand": posted("deferred_revenue", "revenue", "manual", 300),
        "a credit": posted("deferred_revenue", "receivable", "credit_memo", 600),
        "posted a month after its date": booked().change("invoices", "E1", invoice_date=date(2026, 1, 31)),
        "as it should be": booked(),
    }


@pytest.mark.parametrize("name", own_lines())
def test_lines_of_their_own(name: str) -> None:
    assert findings(CHECK, own_lines()[name]) == ()
