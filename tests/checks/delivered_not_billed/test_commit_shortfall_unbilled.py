from datetime import date, timedelta
from decimal import Decimal

import pytest

from checks.contract import Mode, Outcome
from tests.checks.delivered_not_billed.states import committed
from tests.checks.kit import NOW, Ledger, ask, findings, only, seats

CHECK = "commit_shortfall_unbilled"


def test_a_window_that_ended_below_the_commitment() -> None:
    finding = only(CHECK, committed())
    assert (finding.amount, finding.mode) == (Decimal(10_000), Mode.BLOCK)
    assert finding.period == (date(2026, 9, 1), date(2026, 12, 1))
    assert finding.arithmetic.startswith("expected = committed * days / window_days = 70,000 × 91 ÷ 91 = 70,000")
    assert findings(CHECK, committed(60_000)) == ()


def test_it_is_reported_on_the_draft_of_the_line() -> None:
    assert only(CHECK, committed()).invoice_key is None
    assert only(CHECK, committed().change("invoices", "INV12", status="draft")).invoice_key == "INV12"


def test_of_several_drafts_it_is_reported_on_the_latest() -> None:
    """One was left behind by an older run, and its keys come later in the alphabet."""
    ledger = committed().change("invoices", "INV12", status="draft")
    ledger.invoice("Z-OLD", date(2026, 10, 3), seats(10, quantity=Decimal(0), amount=Decimal(0)), status="draft")
    assert only(CHECK, ledger).invoice_key == "INV12"


@pytest.mark.parametrize(("months", "found"), [(1, [40_000] * 3), (None, []), (12, [])])
def test_the_window_is_the_contracts(months: int | None, found: list[int]) -> None:
    assert [f.amount for f in findings(CHECK, committed(60_000, months))] == found


def test_what_rolls_over_counts_when_the_term_ends() -> None:
    ledger = committed(commit_rolls_over=True)
    assert findings(CHECK, ledger) == ()
    ended = ledger.change("contract_lines", "CL1", end_date=date(2026, 12, 1))
    assert only(CHECK, ended).amount == 10_000


def test_a_true_up_of_the_window_settles_it() -> None:
    true_up = seats(11, amount=Decimal(10_000), quantity=Decimal(1), charge_type="one_time")
    assert findings(CHECK, committed().invoice("INVT", date(2026, 12, 1), true_up, status="draft")) == ()
    later = {**true_up, "period_start": date(2026, 12, 1), "period_end": date(2027, 1, 1)}
    assert only(CHECK, committed().invoice("INVT", date(2026, 12, 1), later)).amount == 10_000


def test_a_window_that_is_cut_needs_its_days() -> None:
    """78 of 91 days, in which 2 months and 17 of 30 days were billed."""
    ledger = committed(terminated_date=date(2026, 11, 18)).change(
        "invoice_lines", "INV11-1", amount=Decimal("11333.33"), period_end=date(2026, 11, 18)
    )
    assert only(CHECK, ledger).amount == Decimal("8666.67")


def test_a_window_that_still_runs_is_not_asked_for() -> None:
    early = NOW - timedelta(days=1)
    assert ask(CHECK, committed(), now=early).outcome is Outcome.PASSED
    ledger: Ledger = committed()
    assert ask(CHECK, ledger, behind={"billing": timedelta(hours=10)}).outcome is Outcome.NOT_EVALUATED
