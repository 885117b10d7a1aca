from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from checks.contract import MoneyKind, Outcome
from tests.checks.kit import NOW, ask, findings, only
from tests.checks.metering import bill, event, in_order, metered
from tests.checks.time_boundaries.states import late_usage

CHECK = "usage_after_cutoff_unbilled"


def test_late_usage_that_the_next_invoice_does_not_hold() -> None:
    finding = only(CHECK, late_usage())
    assert (finding.record.key, finding.amount, finding.kind) == ("SL9", Decimal(20), MoneyKind.TIMING)
    assert finding.period == (date(2026, 10, 1), date(2026, 11, 1))
    assert "usage/usage_events/LATE" in map(str, finding.evidence)


def test_after_another_cycle_it_is_lost() -> None:
    """September's late calls were on the invoice neither of October nor of November."""
    ledger = event(in_order(), "LATE", 9, 28, received_at=datetime(2026, 10, 3, tzinfo=UTC))
    assert only(CHECK, ledger).kind is MoneyKind.LEAK


def test_it_is_decided_when_the_next_invoice_is_made() -> None:
    ledger = late_usage().remove("invoices", "U11").remove("invoice_lines", "U11-1")
    by_october = [f for f in findings(CHECK, ledger, now=NOW + timedelta(days=2)) if f.period[0] == date(2026, 10, 1)]
    assert [f.fails_from for f in by_october] == [datetime(2026, 12, 3, tzinfo=UTC)]
    early = ask(CHECK, ledger)
    assert (early.findings, len(early.wake_ups)) == ((), 2)


def test_the_next_invoice_may_hold_it_among_its_own_or_with_its_days() -> None:
    among = late_usage().change("invoice_lines", "U11-1", quantity=Decimal(15_000), amount=Decimal(60))
    assert findings(CHECK, among) == ()
    extra = bill(late_usage(), "EXTRA", 10, 20, 5_000, day=date(2026, 12, 1))
    assert findings(CHECK, extra) == ()
    assert only(CHECK, bill(late_usage(), "EXTRA", 10, 12, 3_000, day=date(2026, 11, 2))).amount == 20


def test_a_period_without_any_invoice() -> None:
    ledger = in_order().remove("invoices", "U10").remove("invoice_lines", "U10-1")
    finding = only(CHECK, ledger)
    assert (finding.amount, finding.arithmetic.partition(";")[0]) == (Decimal(40), "rated = 10,000 × 0.004 = 40")


def test_late_usage_within_what_is_included_costs_nothing() -> None:
    ledger = late_usage(in_order(metered("overage", (None, "0.01"), included_quantity=Decimal(15_000)), 0))
    assert findings(CHECK, ledger) == ()
    assert only(CHECK, ledger.change("usage_events", "LATE", quantity=Decimal(5_200))).amount == 2


def test_it_waits_for_billing() -> None:
    evaluation = ask(CHECK, late_usage(), behind={"billing": timedelta(hours=4)})
    assert (evaluation.outcome, evaluation.findings) == (Outcome.NOT_EVALUATED, ())
