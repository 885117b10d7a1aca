from datetime import timedelta

import pytest

from checks.contract import Mode, Outcome, Owner, Severity
from tests.checks.kit import FRESH, NOW, Ledger, ask, clean

CHECK = "source_stale"


def test_a_stale_source_is_one_finding_with_all_that_is_stale() -> None:
    (finding,) = ask(CHECK, Ledger(), stale="erp").findings
    assert (finding.record.system, finding.record.entity) == ("erp", "sources")
    assert (finding.subject, finding.mode, finding.owners) == ("erp", Mode.BLOCK, (Owner.IT, Owner.IT))
    assert finding.amount == 0
    assert finding.currency is None
    assert len(finding.evidence) > 10
    assert "was last read at 2026-12-01 07:30 UTC" in finding.message


@pytest.mark.parametrize(
    ("age", "outcome"), [(FRESH, Outcome.PASSED), (FRESH + timedelta(microseconds=1), Outcome.FAILED)]
)
def test_exactly_as_old_as_allowed_is_fresh(age: timedelta, outcome: Outcome) -> None:
    assert ask(CHECK, Ledger(), behind={"erp": age}, fresh=FRESH).outcome is outcome


def test_each_source_wakes_us_when_it_becomes_stale() -> None:
    evaluation = ask(CHECK, Ledger())
    assert evaluation.outcome is Outcome.PASSED
    assert set(evaluation.wake_ups) == {NOW + FRESH + timedelta(microseconds=1)}


def test_it_is_most_severe_while_a_run_is_prepared() -> None:
    drafts = clean().change("invoices", "INV12", status="draft")
    assert [f.severity for f in ask(CHECK, drafts, stale="crm").findings] == [Severity.S1]
    assert [f.severity for f in ask(CHECK, clean(), stale="crm").findings] == [Severity.S3]


def test_the_failure_is_told() -> None:
    (finding,) = ask(CHECK, Ledger(), failure="the password has expired").findings
    assert "could not be read: the password has expired" in finding.message


def test_a_watermark_ahead_of_the_clock_is_not_believed() -> None:
    ahead = {"erp": -timedelta(minutes=5)}
    assert ask(CHECK, Ledger(), behind=ahead, fresh=FRESH).outcome is Outcome.PASSED
    ahead = {"erp": -timedelta(minutes=5, microseconds=1)}
    (finding,) = ask(CHECK, Ledger(), behind=ahead, fresh=FRESH).findings
    assert finding.subject == "erp"
    assert "was read up to 2026-12-01 09:35 UTC, ahead of our clock" in finding.message
