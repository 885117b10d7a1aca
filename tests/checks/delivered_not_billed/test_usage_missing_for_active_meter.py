from datetime import date
from decimal import Decimal

from tests.checks.delivered_not_billed.states import gone_quiet
from tests.checks.kit import findings, only
from tests.checks.metering import event, in_order, metered

CHECK = "usage_missing_for_active_meter"


def test_a_silent_period_is_exposed_by_what_the_last_one_came_to() -> None:
    finding = only(CHECK, gone_quiet())
    assert (finding.record.key, finding.amount) == ("SL9", Decimal(40))
    assert finding.period == (date(2026, 11, 1), date(2026, 12, 1))
    assert "last heard on 2026-10-15" in finding.message


def test_the_last_period_is_rated_by_tiers() -> None:
    ledger = in_order(metered("graduated", (4_000, "0.01"), (None, "0.005")), 70, months=(9, 10))
    assert only(CHECK, ledger).arithmetic.startswith("rated = 4,000 × 0.01 + 6,000 × 0.005 = 70; ")


def test_a_heartbeat_or_an_event_of_zero_is_no_silence() -> None:
    assert findings(CHECK, event(gone_quiet(), "BEAT", 11, 3, is_heartbeat=True, quantity=None)) == ()
    assert findings(CHECK, event(gone_quiet(), "ZERO", 11, 3, quantity=Decimal(0))) == ()


def test_a_silence_that_is_usual_for_the_meter() -> None:
    """It was heard in July and then in September: two months of silence are nothing new."""
    ledger = event(metered(), "E7", 7, 1)
    assert findings(CHECK, event(event(ledger, "E9", 9, 1), "E10", 10, 15)) == ()
    assert only(CHECK, event(event(ledger, "E8", 8, 1), "E10", 10, 1)).amount == 4


def test_one_period_is_no_habit_and_a_line_that_ended_owes_nothing() -> None:
    assert findings(CHECK, in_order(months=(10,))) == ()
    ended = gone_quiet().change("subscription_lines", "SL9", end_date=date(2026, 11, 20))
    assert findings(CHECK, ended) == ()
    assert findings(CHECK, gone_quiet().change("subscriptions", "S1", status="cancelled")) == ()
