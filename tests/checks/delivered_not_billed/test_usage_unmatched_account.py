from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from checks.contract import Mode, MoneyKind, Outcome
from tests.checks.broken import event, metered, unowned_usage
from tests.checks.kit import NOW, Ledger, ask, clean, findings, only

CHECK = "usage_unmatched_account"
GHOST = {"account_id": "ghost", "account_key": None, "subscription_number": None}


def test_the_units_at_list_price() -> None:
    finding = only(CHECK, unowned_usage())
    assert str(finding.record) == "usage/usage_events/E2"
    assert (finding.amount, finding.kind) == (Decimal("500.00"), MoneyKind.LEAK)
    assert finding.subject == "ghost/api_calls"
    assert "at list price" in finding.message


@pytest.mark.parametrize(("quantity", "mode"), [(50_000, Mode.WARN), (50_001, Mode.BLOCK)])
def test_a_large_estimate_blocks(quantity: int, mode: Mode) -> None:
    """250 is the limit: 50,000 × 0.005."""
    assert only(CHECK, unowned_usage(quantity)).mode is mode


def test_one_finding_per_customer_meter_and_month() -> None:
    ledger = unowned_usage()
    first = datetime(2026, 11, 1, tzinfo=UTC)
    event(ledger, "E3", **GHOST, happened_at=first)
    event(ledger, "E4", **GHOST, happened_at=first - timedelta(seconds=1))
    event(ledger, "E5", **{**GHOST, "account_id": "phantom"})
    event(ledger, "E6", **GHOST, meter="messages")
    found = findings(CHECK, ledger)
    assert [(f.record.key, f.subject, f.period[0].month if f.period[0] else None) for f in found] == [
        ("E4", "ghost/api_calls", 10),
        ("E3", "ghost/api_calls", 11),
        ("E6", "ghost/messages", 11),
        ("E5", "phantom/api_calls", 11),
    ]


def test_without_any_price_it_is_still_found() -> None:
    finding = only(CHECK, event(clean(), "E1", **GHOST))
    assert (finding.amount, finding.currency, finding.mode) == (Decimal("0.00"), "USD", Mode.WARN)
    assert "no list price is known" in finding.message


def test_three_days_to_settle() -> None:
    arrived = NOW - timedelta(days=3)
    assert only(CHECK, event(metered(), "E1", **GHOST, received_at=arrived)).fails_from == NOW
    evaluation = ask(CHECK, event(metered(), "E1", **GHOST, received_at=arrived + timedelta(seconds=1)))
    assert evaluation.outcome is Outcome.PASSED
    assert evaluation.wake_ups == (NOW + timedelta(seconds=1),)


def test_a_subscription_that_nobody_knows() -> None:
    assert only(CHECK, event(metered(), "E1", subscription_number="N-GONE")).account_key == "A1"


def looks_alike() -> dict[str, Ledger]:
    return {
        "a test event": event(metered(), "E1", **GHOST, is_test=True),
        "a test account": event(metered().change_account(is_test=True), "E1", subscription_number="N-GONE"),
        "of a customer": event(metered(), "E1", subscription_number=None),
        "of a subscription that has ended": event(metered().change("subscriptions", "S1", status="cancelled"), "E1"),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
