from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind, Severity
from tests.checks.kit import Ledger, findings, only
from tests.checks.ledger import booked, entry

CHECK = "recognized_vs_collected_tieout"


def test_a_payment_that_the_ledger_does_not_have() -> None:
    finding = only(CHECK, booked().remove("ledger_entries", "C1", "C2"))
    assert str(finding.record) == "crm/accounts/A1"
    assert finding.period == (date(2026, 1, 1), date(2026, 4, 1))
    assert (finding.amount, finding.kind, finding.severity) == (Decimal("13200.00"), MoneyKind.EXPOSURE, Severity.S2)
    assert (finding.expected, finding.actual) == (Decimal("0.00"), Decimal("13200.00"))


def test_cash_that_nobody_paid() -> None:
    finding = only(CHECK, booked().remove("payments", "PAY1"))
    assert (finding.expected, finding.actual) == (Decimal("13200.00"), Decimal("0.00"))


def test_posted_net_of_a_fee() -> None:
    ledger = booked().change("ledger_entries", "C1", amount=Decimal(13_000))
    assert only(CHECK, ledger.change("ledger_entries", "C2", amount=Decimal(-13_000))).amount == Decimal("200.00")


def test_a_quarter_is_compared_once_it_has_settled() -> None:
    broken = booked().remove("ledger_entries", "C1", "C2")
    broken.change("payments", "PAY1", modified_at=datetime(2026, 3, 10, tzinfo=UTC))
    assert findings(CHECK, broken, now=datetime(2026, 4, 5, 23, tzinfo=UTC)) == ()
    assert len(findings(CHECK, broken, now=datetime(2026, 4, 6, tzinfo=UTC))) == 1


def explained() -> dict[str, Ledger]:
    revalued = entry(booked(), "X1", "FX1", "receivable", "revaluation", 55, date(2026, 6, 30))
    failed = {"status": "error", "amount": Decimal(500), "currency": "USD", "paid_date": date(2026, 5, 1)}
    refunded = booked().change("payments", "PAY1", refunded_amount=Decimal(100))
    refunded.change("ledger_entries", "C1", amount=Decimal(13_100))
    return {
        "prepaid for a year": booked(),
        "revalued": entry(revalued, "X2", "FX1", "fx_revaluation", "revaluation", -55, date(2026, 6, 30)),
        "an attempt that failed": booked().add("payments", "billing", "PAY2", **failed),
        "paid back in part": refunded.change("ledger_entries", "C2", amount=Decimal(-13_100)),
        "a test account": booked().remove("payments", "PAY1").change_account(is_test=True),
    }


@pytest.mark.parametrize("name", explained())
def test_what_the_roll_forward_explains(name: str) -> None:
    assert findings(CHECK, explained()[name]) == ()
