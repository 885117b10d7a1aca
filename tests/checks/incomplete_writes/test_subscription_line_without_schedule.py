from datetime import date
from decimal import Decimal

import pytest

from tests.checks.broken import short_schedule
from tests.checks.kit import Ledger, clean, findings, only

CHECK = "subscription_line_without_schedule"


def test_the_days_without_schedule_at_a_daily_rate() -> None:
    finding = only(CHECK, short_schedule())
    assert str(finding.record) == "billing/subscription_lines/SL1"
    # 2 December to 1 January: 30 days of 500 × 40 × 12 ÷ 365.
    assert finding.terms["uncovered_days"] == 30
    assert finding.amount == Decimal("19726.03")


def test_a_line_without_any_schedule() -> None:
    ledger = clean().remove("billing_schedules", "SL1")
    assert only(CHECK, ledger).terms["uncovered_days"] == 365


@pytest.mark.parametrize(("end", "count"), [(date(2026, 12, 31), 1), (date(2027, 1, 1), 0)])
def test_the_last_day_counts(end: date, count: int) -> None:
    assert len(findings(CHECK, clean().change("billing_schedules", "SL1", end_date=end))) == count


def looks_alike() -> dict[str, Ledger]:
    evergreen = clean().change("subscriptions", "S1", end_date=None).change("contracts", "K1", end_date=None)
    evergreen.change("contract_lines", "CL1", end_date=None).change("subscription_lines", "SL1", end_date=None)
    removed = short_schedule().change("contract_lines", "CL1", terminated_date=date(2026, 12, 2))
    return {
        "evergreen with an open schedule": evergreen.change("billing_schedules", "SL1", end_date=None),
        "usage": short_schedule().change("subscription_lines", "SL1", charge_type="usage"),
        "one-time": short_schedule().change("subscription_lines", "SL1", charge_type="one_time"),
        "prepaid": short_schedule().change("subscription_lines", "SL1", charged_through=date(2027, 1, 1)),
        "cancelled": short_schedule().change("subscriptions", "S1", status="cancelled"),
        "a product that was taken away": removed,
        "suspended and resumed": clean()
        .change("billing_schedules", "SL1", end_date=date(2026, 11, 1))
        .schedule("SL1-2", start_date=date(2026, 12, 1), end_date=date(2027, 1, 1))
        .add("amendments", "billing", "AM1", type="SuspendSubscription", status="activated", subscription_key="S1",
             effective_date=date(2026, 11, 1)),
        "in two segments": short_schedule().schedule(
            "SL1-2", quantity=Decimal(1), start_date=date(2026, 12, 2), end_date=date(2027, 1, 1)
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_an_evergreen_line_must_be_scheduled_up_to_the_target_date() -> None:
    ledger = looks_alike()["evergreen with an open schedule"]
    ledger.change("billing_schedules", "SL1", end_date=date(2026, 11, 28))
    assert only(CHECK, ledger).terms["uncovered_days"] == 3
    assert findings(CHECK, ledger, target=date(2026, 11, 28)) == ()


def test_an_older_version_of_the_subscription_is_not_the_current_one() -> None:
    ledger = short_schedule().subscription("S1b", number="N-S1", version=2, status="cancelled")
    assert findings(CHECK, ledger) == ()
