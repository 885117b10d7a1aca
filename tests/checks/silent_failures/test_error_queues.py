"""The two checks on error queues: what nobody owns, and what the next invoice will miss."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.catalogue import CATALOGUE
from checks.contract import Mode, MoneyKind, Scope, Severity
from checks.facts.flow_errors import IGNORED
from checks.findings import Evaluation
from tests.checks.kit import NOW, ask, clean, findings, only
from tests.checks.silent_failures.states import ago, queued, ran, unowned

UNOWNED, BLOCKS = "error_queue_unowned", "error_queue_blocks_invoice"
BOTH = pytest.mark.parametrize("check", [UNOWNED, BLOCKS])


def test_an_error_is_worth_what_the_platform_says() -> None:
    finding = only(UNOWNED, unowned())
    assert (finding.amount, finding.currency, finding.kind) == (Decimal("1200.50"), "USD", MoneyKind.EXPOSURE)
    assert (finding.severity, finding.mode) == (Severity.S2, Mode.MONITOR)
    assert "nobody has owned it since 2026-11-29 09:30 UTC" in finding.message


def test_else_it_is_worth_the_customers_next_invoice() -> None:
    assert only(UNOWNED, queued()).amount == 20_000
    nobodys = only(UNOWNED, queued(account_key=None))
    assert [nobodys.amount, nobodys.currency] == [0, None]


@pytest.mark.parametrize(("hours", "count"), [(3.99, 0), (4, 1)])
def test_it_may_wait_for_an_owner_for_some_hours(hours: float, count: int) -> None:
    young = unowned(raised_at=ago(hours), last_seen_at=ago(hours))
    assert len(findings(UNOWNED, young)) == count
    assert ask(UNOWNED, young).wake_ups == (() if count else (NOW + timedelta(hours=4 - hours),))


@BOTH
def test_a_later_success_with_the_same_trace_key_settles_it(check: str) -> None:
    assert len(findings(check, ran(unowned(), trace_key="AM2"))) == 1
    assert len(findings(check, ran(unowned(), trace_key="AM1", status="failed"))) == 1
    assert len(findings(check, ran(unowned(), trace_key="AM1", finished_at=ago(31)))) == 1
    assert findings(check, ran(unowned(), trace_key="AM1")) == ()


@BOTH
def test_what_is_settled_or_owned_is_left_alone(check: str) -> None:
    assert findings(check, unowned(status="resolved")) == ()
    assert findings(check, unowned(resolved_at=ago(2))) == ()
    assert len(findings(check, unowned(owner="dana"))) == (check == BLOCKS)


@BOTH
def test_entries_about_one_record_are_one_finding(check: str) -> None:
    twice = queued(queued(), "E2", raised_at=ago(20), last_seen_at=ago(2), message="Still not active")
    finding = only(check, twice)
    assert (finding.record.key, "Still not active" in finding.message) == ("E1", True)
    assert {record.key for record in finding.evidence} >= {"E1", "E2"}
    assert findings(check, ran(twice, trace_key="AM1")) == ()


def test_a_harmless_class_is_ignored_until_its_date() -> None:
    evaluation = asked_with("OTHER until 2027-12-24 by max", "INVALID_VALUE until 2026-12-24 by dana")
    assert evaluation.findings == ()
    assert [wake.date() for wake in evaluation.wake_ups] == [date(2026, 12, 24)]
    assert len(asked_with("INVALID_VALUE until 2026-12-01 by dana").findings) == 1
    for wrong in ("INVALID_VALUE", "INVALID_VALUE until 2026-12-24", "INVALID_VALUE until soon by dana"):
        assert "until when and by whom" in str(asked_with(wrong).reason)


def asked_with(*ignored: str) -> Evaluation:
    declared = CATALOGUE[UNOWNED]
    said = tuple(replace(known, default=ignored) if known == IGNORED else known for known in declared.settings)
    return ask(replace(declared, settings=said), unowned())


def test_a_draft_that_waits_is_stopped() -> None:
    finding = only(BLOCKS, queued())
    assert (finding.mode, finding.scope, finding.severity) == (Mode.BLOCK, Scope.ACCOUNT, Severity.S1)
    assert finding.amount == 20_000
    assert "invoices/INV12" in {f"{record.entity}/{record.key}" for record in finding.evidence}


@pytest.mark.parametrize(("bill_day", "found"), [(6, True), (7, False), (2, True)])
def test_the_bill_date_counts_from_the_accounts_calendar(bill_day: int, found: bool) -> None:
    """Five days ahead, and not a day more; the invoice comes from the schedule: 500 seats at 40.00."""
    ledger = clean().change_account(bill_day=bill_day).change("subscriptions", "S1", end_date=None)
    ledger.change("subscription_lines", "SL1", end_date=None, charged_through=date(2026, 12, bill_day))
    ledger.change("billing_schedules", "SL1", end_date=None)
    evaluation = ask(BLOCKS, queued(ledger))
    assert [f.amount for f in evaluation.findings] == [20_000] * found
    assert [wake.date() for wake in evaluation.wake_ups] == [date(2026, 12, 2)] * (not found)


def test_the_next_invoice_of_lines_that_end_soon_is_a_part() -> None:
    """Ten of the 31 days from 5 December, also of a price by the year; two different parts count as whole periods."""
    ledger = clean().change_account(bill_day=5)
    ends: dict[str, Any] = {"end_date": date(2026, 12, 15), "charged_through": date(2026, 12, 5)}
    ledger.change("subscription_lines", "SL1", **ends)
    yearly: dict[str, Any] = {
        "unit_price": Decimal(1200),
        "quantity": Decimal(2),
        "price_months": 12,
        "billing_months": 1,
    }
    ledger.subscription_line("SL2", **yearly, **ends)
    assert only(BLOCKS, queued(ledger)).amount == Decimal("6516.13")
    ledger.change("subscription_lines", "SL2", end_date=date(2026, 12, 20))
    assert only(BLOCKS, queued(ledger)).amount == 20_200
