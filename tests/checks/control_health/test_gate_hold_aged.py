import pytest

from checks.contract import Mode, MoneyKind, Severity
from tests.checks.control_health.states import held
from tests.checks.kit import ask, clean, findings, only
from tests.checks.silent_failures.states import ago

CHECK = "gate_hold_aged"


def test_what_is_held_for_too_long_is_money_late() -> None:
    finding = only(CHECK, held(held(), "H2", invoice_key="INV12b", amount=500))
    assert finding.amount == 20_500
    assert (finding.kind, finding.severity, finding.mode, finding.invoice_key) == (
        MoneyKind.TIMING,
        Severity.S1,
        Mode.MONITOR,
        "INV12",
    )
    assert (
        "2 invoices of run BR-1 are held since 2026-11-30 07:30 UTC (seat_overage_unbilled; maria)" in finding.message
    )


def test_currencies_are_not_added() -> None:
    assert [f.amount for f in findings(CHECK, held(held(), "H2", currency="EUR", amount=500))] == [500, 20_000]


def test_a_hold_ages_at_its_deadline_or_when_a_planned_review_is_over() -> None:
    for columns in ({"due_at": ago(-2)}, {"until_at": ago(-2)}, {"due_at": None, "held_at": ago(22)}):
        evaluation = ask(CHECK, held(**columns))
        assert (evaluation.findings, evaluation.wake_ups) == ((), (ago(-2),))
    assert len(findings(CHECK, held(until_at=ago(1)))) == 1
    assert len(findings(CHECK, held(due_at=None, held_at=ago(24)))) == 1


@pytest.mark.parametrize("status", ["posted", "void"])
def test_a_hold_that_was_ended_is_none(status: str) -> None:
    assert findings(CHECK, held(released_at=ago(1))) == ()
    assert findings(CHECK, held(clean().change("invoices", "INV12", status=status))) == ()
