from datetime import UTC, date, datetime

import pytest

from checks.contract import Mode, Severity
from tests.checks.control_health.states import overridden
from tests.checks.kit import Ledger, ask, findings, only

CHECK = "recurring_override"


def test_the_third_run_makes_it_a_habit() -> None:
    finding = only(CHECK, overridden(9, 10, 11))
    assert finding.amount == 450
    assert (finding.severity, finding.mode) == (Severity.S3, Mode.WARN)
    assert (finding.record.key, finding.subject) == ("O11", "A1/pricing_drift/USD")
    assert "in 3 of the customer's last runs, last by lukas" in finding.message


@pytest.mark.parametrize(
    "ledger",
    [
        overridden(10, 11),
        overridden(9, 10, 11, run_key="BR-9"),
        overridden(5, 6, 11),
        overridden(10, 11).join(overridden(12, check="missed_uplift", ledger=Ledger())),
        overridden(9, 10, 11, approved_at=None),
    ],
    ids=["twice", "one run", "long ago", "another check", "never approved"],
)
def test_what_is_no_habit(ledger: Ledger) -> None:
    assert findings(CHECK, ledger) == ()


def test_a_term_that_was_made_an_exception_is_known_until_it_ends() -> None:
    known = overridden(9, 10, 11).add(
        "approvals", "audit", "P1", status="approved", kind="exception", object="pricing_drift",
        decided_at=datetime(2026, 11, 1, 9, tzinfo=UTC),
    )  # fmt: skip
    assert findings(CHECK, known) == ()
    evaluation = ask(CHECK, known.change("approvals", "P1", until_date=date(2026, 12, 24)))
    assert evaluation.findings == ()
    assert [wake.date() for wake in evaluation.wake_ups] == [date(2026, 12, 24)]
    assert len(findings(CHECK, known.change("approvals", "P1", until_date=date(2026, 12, 1)))) == 1
    again = overridden(7, 8, 12, ledger=known.change("approvals", "P1", until_date=None))
    assert findings(CHECK, again) == ()
