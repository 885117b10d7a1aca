from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Mode, Scope
from tests.checks.kit import NOW, ask, findings, only
from tests.checks.silent_failures.states import ago, empty_run, mornings, ran

CHECK = "integration_empty_run"
WEEKLY = {7 * week: count for week, count in ((8, 80), (7, 100), (6, 120), (5, 100))}


def test_what_the_source_counts_and_the_run_did_not_move_is_worth_what_records_usually_are() -> None:
    finding = only(CHECK, empty_run())
    assert (finding.record.key, finding.subject, finding.period[0]) == ("R1", "usage_to_billing", date(2026, 11, 30))
    assert [finding.expected, finding.actual, finding.amount] == [2400, 20, 2380]
    assert (finding.mode, finding.scope) == (Mode.WARN, Scope.RUN)
    assert "with 1 of the 120 records that the source counts" in finding.message


@pytest.mark.parametrize(
    "columns",
    [
        {"source_count": 0, "written_count": 0},
        {"source_count": 120, "written_count": 60},
        {"source_count": 120, "written_count": 1, "rejected_count": 59},
        {"source_count": 120, "written_count": 0, "status": "failed"},
    ],
)
def test_a_run_that_moved_what_there_was_or_said_that_it_did_not_is_fine(columns: dict[str, Any]) -> None:
    assert findings(CHECK, ran(empty_run().remove("integration_runs", "R1"), **columns)) == ()


def test_a_later_run_of_the_same_window_makes_up_for_it() -> None:
    again = {"flow": "usage_to_billing", "trace_key": "W48", "source_count": 119, "finished_at": ago(0.5)}
    assert len(findings(CHECK, ran(empty_run(), "R0", written_count=118, **again))) == 1
    assert findings(CHECK, ran(empty_run(), "R0", written_count=119, **again)) == ()


def test_where_nothing_counts_the_weekday_says_what_is_usual() -> None:
    assert only(CHECK, mornings({**WEEKLY, 6: 5, 14: 49})).amount == Decimal(1020)
    assert findings(CHECK, mornings({**WEEKLY, 14: 50})) == ()
    assert findings(CHECK, mornings({14: 0, **dict.fromkeys(WEEKLY, 0)})) == ()
    assert findings(CHECK, mornings({21: 100, 28: 100, 35: 100, 14: 0})) == ()


def test_a_day_is_judged_when_it_is_over() -> None:
    evaluation = ask(CHECK, mornings({**WEEKLY, 0: 0}))
    assert evaluation.findings == ()
    assert evaluation.wake_ups == (NOW.replace(day=2, hour=0, minute=0),)


def test_without_control_totals_it_is_told_without_an_amount() -> None:
    finding = only(CHECK, mornings({**WEEKLY, 14: 0}, amount=None, currency=None))
    assert [finding.amount, finding.currency] == [0, None]
    assert "no control totals" in finding.message
