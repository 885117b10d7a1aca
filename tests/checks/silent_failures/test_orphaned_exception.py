from typing import Any

import pytest

from checks.contract import Mode, Severity
from tests.checks.kit import ask, findings, only
from tests.checks.silent_failures.states import ago, case

CHECK = "orphaned_exception"
ACTIVE: dict[str, Any] = {"owner_active": True}


def test_a_case_of_somebody_who_has_left_is_worth_what_it_is_about() -> None:
    finding = only(CHECK, case())
    assert (finding.severity, finding.mode) == (Severity.S2, Mode.MONITOR)
    assert finding.message == (
        "EXC-7 of seat_overage_unbilled about 4,800.00 USD: tom is not active and nobody stands in."
    )
    assert "nobody is not active" in only(CHECK, case(owner=None)).message


def test_a_deputy_stands_in() -> None:
    assert findings(CHECK, case(deputy="maria")) == ()


def test_a_case_that_nobody_touched_for_twice_its_time_is_an_orphan_from_then_on() -> None:
    evaluation = ask(CHECK, case(**ACTIVE))
    assert (evaluation.findings, evaluation.wake_ups) == ((), (ago(-24),))
    assert (
        "has not been touched since 2026-11-28 11:30 UTC" in only(CHECK, case(**ACTIVE, untouched_until=ago(0))).message
    )


@pytest.mark.parametrize("columns", [{"state": "resolved"}, {"state": "verified"}, {"check": CHECK}, {"deleted": True}])
def test_what_is_over_and_cases_about_cases_are_left_alone(columns: dict[str, Any]) -> None:
    assert findings(CHECK, case(**columns)) == ()
