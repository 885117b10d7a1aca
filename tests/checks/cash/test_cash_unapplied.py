from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import Severity
from tests.checks.cash.states import unassigned
from tests.checks.kit import findings, only

CHECK = "cash_unapplied"


def test_the_whole_receipt_lies_about() -> None:
    assert only(CHECK, unassigned()).amount == Decimal(500)


def test_what_was_applied_and_paid_back_is_accounted_for() -> None:
    ledger = unassigned(refunded_amount=Decimal(100))
    ledger.add("payment_applications", "billing", "A2", payment_key="P2", invoice_key="INV9", amount=Decimal(150))
    assert only(CHECK, ledger).amount == Decimal(250)
    ledger.change("payments", "P2", refunded_amount=Decimal(350))
    assert not findings(CHECK, ledger)


def test_a_fortnight_is_given() -> None:
    assert not findings(CHECK, unassigned(), now=datetime(2026, 11, 3, 23, tzinfo=UTC))
    assert findings(CHECK, unassigned(), now=datetime(2026, 11, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("paid", "severity"),
    [(date(2026, 10, 20), Severity.S3), (date(2026, 9, 20), Severity.S3), (date(2026, 7, 1), Severity.S2)],
)
def test_age_makes_it_graver(paid: date, severity: Severity) -> None:
    """500 dollars are S3 by size at least."""
    assert only(CHECK, unassigned(paid_date=paid)).severity is severity


def test_a_platform_without_applications_says_it_by_the_invoice() -> None:
    unmapped = [("billing", "payment_applications")]
    assert not findings(CHECK, unassigned(invoice_key="INV9"), unmapped=unmapped)
    assert findings(CHECK, unassigned(), unmapped=unmapped)
