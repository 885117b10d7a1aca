from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.delivered_not_billed.states import billed_too_little
from tests.checks.kit import NOW, Ledger, ask, findings, only
from tests.checks.metering import bill, event, in_order, metered

CHECK = "usage_vs_invoice_mismatch"


def test_too_little_and_too_much() -> None:
    finding = only(CHECK, billed_too_little())
    assert (finding.record.key, finding.amount, finding.kind) == ("U11-1", Decimal(4), MoneyKind.LEAK)
    assert finding.message.startswith("10,000 units of API calls from 2026-11-01")
    over = only(CHECK, in_order().change("invoice_lines", "U11-1", amount=Decimal(50)))
    assert (over.amount, over.kind) == (Decimal(10), MoneyKind.OVERBILL)


def test_half_a_percent_is_no_finding_and_a_cent_more_is() -> None:
    large = in_order(metered().change("subscription_lines", "SL9", unit_price=Decimal("0.4")), 4000)
    assert findings(CHECK, large.change("invoice_lines", "U11-1", amount=Decimal(3980))) == ()
    assert only(CHECK, large.change("invoice_lines", "U11-1", amount=Decimal("3979.99"))).amount == Decimal("20.01")


PRICES: dict[str, tuple[tuple[Any, ...], dict[str, Any], int, str]] = {
    "graduated": (((4_000, "0.01"), (None, "0.005", 3)), {}, 73, "4,000 × 0.01 + 6,000 × 0.005 + 3"),
    "volume": (((4_000, "0.01"), (None, "0.005", 3)), {}, 53, "10,000 × 0.005 + 3"),
    "package": (((None, 9),), {"package_size": Decimal(3_000)}, 36, "4 × 9"),
    "overage": (((None, "0.01"),), {"included_quantity": Decimal(9_000)}, 10, "1,000 × 0.01"),
    "per_unit": (((None, "0.001"),), {"minimum_amount": Decimal(25)}, 25, "max(10,000 × 0.001, 25)"),
    "flat": (((None, 12),), {}, 12, "1 × 12"),
}


@pytest.mark.parametrize("model", PRICES)
def test_each_charge_model_is_rated_again(model: str) -> None:
    """What comes out by the price is no finding; a dollar less is, with the sum that shows why."""
    tiers, columns, cost, shown = PRICES[model]
    assert findings(CHECK, in_order(metered(model, *tiers, **columns), cost)) == ()
    short = in_order(metered(model, *tiers, **columns), cost).change("invoice_lines", "U10-1", amount=Decimal(cost - 1))
    finding = only(CHECK, short)
    assert (finding.record.key, finding.amount) == ("U10-1", Decimal(1))
    assert finding.arithmetic.startswith(f"rated = {shown} = {cost}; ")


def test_a_model_that_is_not_known_is_not_judged() -> None:
    evaluation = ask(CHECK, in_order(metered("tiered", (4_000, "0.01"), (None, "0.005")), 73))
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert "no price that can be rated" in str(evaluation.reason)


def test_what_came_after_the_invoice_was_made_is_another_checks() -> None:
    late = event(in_order(), "LATE", 11, 30, received_at=datetime(2026, 12, 1, 6, 1, tzinfo=UTC))
    assert findings(CHECK, late) == ()
    in_time = event(in_order(), "LATE", 11, 30, received_at=datetime(2026, 12, 1, 6, tzinfo=UTC))
    assert only(CHECK, in_time).amount == 4


def test_late_usage_may_be_on_the_next_invoice_among_its_own() -> None:
    late = event(in_order(), "LATE", 10, 28, received_at=datetime(2026, 11, 3, tzinfo=UTC))
    carried = late.change("invoice_lines", "U11-1", quantity=Decimal(11_000), amount=Decimal(44))
    assert findings(CHECK, carried) == ()
    assert only(CHECK, carried.change("invoice_lines", "U11-1", amount=Decimal(45))).amount == 1


def test_a_second_invoice_for_what_came_late_is_rated_with_the_first() -> None:
    """By tiers, the late calls cost what is left of the whole."""
    ledger = in_order(metered("graduated", (10_000, "0.01"), (None, "0.005")), 100)
    event(ledger, "LATE", 10, 28, received_at=datetime(2026, 11, 3, tzinfo=UTC))
    bill(ledger, "EXTRA", 10, 5, 1_000, day=date(2026, 12, 1))
    assert findings(CHECK, ledger) == ()
    assert only(CHECK, ledger.change("invoice_lines", "EXTRA-1", amount=Decimal(10))).amount == 5


def test_days_are_the_customers() -> None:
    """Half past eleven in the evening of 30 November in New York is 1 December, UTC."""
    moment = datetime(2026, 12, 1, 4, 30, tzinfo=UTC)
    for zone, found in (("America/New_York", [4]), ("Europe/Berlin", []), ("nowhere", [])):
        ledger = event(in_order(metered(zone=zone)), "EDGE", happened_at=moment)
        assert [f.amount for f in findings(CHECK, ledger)] == found


def test_heartbeats_tests_and_repeated_events_count_nothing() -> None:
    ledger = event(in_order(), "BEAT", 11, 20, is_heartbeat=True)
    event(event(ledger, "TEST", 11, 20, is_test=True), "AGAIN", 11, 16, event_id="id-E11")
    assert findings(CHECK, ledger) == ()


def test_a_credit_memo_gives_back_what_was_too_much() -> None:
    ledger = in_order().change("invoice_lines", "U11-1", amount=Decimal(50))
    memo: dict[str, Any] = {"status": "posted", "currency": "USD", "memo_date": date(2026, 12, 1), "invoice_key": "U11"}
    ledger.add("credit_memos", "billing", "M1", amount=Decimal(10), **memo)
    assert findings(CHECK, ledger) == ()
    assert only(CHECK, ledger.change("credit_memos", "M1", amount=Decimal(8))).amount == 2


def test_it_waits_for_the_meter() -> None:
    behind: Ledger = billed_too_little()
    assert ask(CHECK, behind, behind={"usage": timedelta(hours=3, minutes=30)}).outcome is Outcome.FAILED
    later = ask(CHECK, behind, behind={"usage": timedelta(hours=3, minutes=31)})
    assert (later.outcome, later.findings) == (Outcome.NOT_EVALUATED, ())
    assert NOW.hour == 9
