from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import Mode, MoneyKind
from tests.checks.broken import unbilled_november
from tests.checks.kit import Ledger, ask, clean, findings, only, seats

CHECK = "missing_expected_invoice"


def test_a_period_between_two_that_were_billed() -> None:
    finding = only(CHECK, unbilled_november())
    assert str(finding.record) == "billing/subscription_lines/SL1"
    assert finding.period == (date(2026, 11, 1), date(2026, 12, 1))
    assert (finding.amount, finding.kind, finding.mode) == (Decimal("20000.00"), MoneyKind.LEAK, Mode.BLOCK)


def unbilled_december() -> Ledger:
    return clean().remove("invoices", "INV12").remove("invoice_lines", "INV12-1")


def test_less_than_a_period_late_it_heals_itself() -> None:
    assert only(CHECK, unbilled_december()).kind is MoneyKind.TIMING
    last = datetime(2026, 12, 31, 9, tzinfo=UTC)
    found = findings(CHECK, unbilled_december(), now=last)
    assert [f.kind for f in found] == [MoneyKind.TIMING]
    assert [f.kind for f in findings(CHECK, unbilled_december(), now=last + timedelta(days=1))] == [MoneyKind.LEAK]


def test_due_up_to_and_including_the_target_date() -> None:
    assert findings(CHECK, unbilled_december(), target=date(2026, 11, 30)) == ()
    assert only(CHECK, unbilled_december(), target=date(2026, 12, 1)).period[0] == date(2026, 12, 1)


def test_an_upcoming_run_must_hold_what_it_is_to_bill() -> None:
    """Asked on 28 November for a run of 1 December."""
    found = findings(CHECK, unbilled_december(), now=datetime(2026, 11, 28, 9, tzinfo=UTC), target=date(2026, 12, 1))
    assert [f.period[0] for f in found] == [date(2026, 12, 1)]


def annual(timing: str) -> Ledger:
    start, end = date(2025, 12, 1), date(2026, 12, 1)
    ledger = Ledger().account().contract(start_date=start, end_date=end)
    ledger.subscription(start_date=start, end_date=end)
    said: dict[str, Any] = {"billing_months": 12, "billing_timing": timing, "start_date": start, "end_date": end}
    return ledger.contract_line(**said).subscription_line(**said)


@pytest.mark.parametrize(("timing", "kind"), [("advance", MoneyKind.LEAK), ("arrears", MoneyKind.TIMING)])
def test_a_year_in_advance_or_in_arrears(timing: str, kind: MoneyKind) -> None:
    finding = only(CHECK, annual(timing))
    assert (finding.amount, finding.kind) == (Decimal("240000.00"), kind)


def test_the_bill_day_of_the_account_cuts_the_first_period() -> None:
    """Worked example P05a: 24.95 a month from 16 September, bill day 25."""
    start = date(2026, 9, 16)
    ledger = Ledger().account(bill_day=25).contract(start_date=start).subscription(start_date=start)
    said: dict[str, Any] = {"quantity": Decimal(1), "unit_price": Decimal("24.95"), "start_date": start}
    ledger.contract_line(**said).subscription_line(**said)
    found = findings(CHECK, ledger)
    assert [(f.period[0], f.amount) for f in found] == [
        (date(2026, 9, 16), Decimal("7.24")),
        (date(2026, 9, 25), Decimal("24.95")),
        (date(2026, 10, 25), Decimal("24.95")),
        (date(2026, 11, 25), Decimal("24.95")),
    ]
    assert {f.mode for f in found} == {Mode.WARN}


@pytest.mark.parametrize(("quantity", "mode"), [("6.25", Mode.WARN), ("6.251", Mode.BLOCK)])
def test_a_small_amount_only_warns(quantity: str, mode: Mode) -> None:
    ledger = unbilled_november().change("billing_schedules", "SL1", quantity=Decimal(quantity))
    assert only(CHECK, ledger).mode is mode


def paused_in_november() -> Ledger:
    ledger = unbilled_november().change("billing_schedules", "SL1", end_date=date(2026, 11, 1))
    ledger.schedule("SL1b", quantity=Decimal(500), unit_price=Decimal(40), start_date=date(2026, 12, 1))
    return ledger.add("amendments", "billing", "AM1", type="SuspendSubscription", status="activated",
                      subscription_key="S1", effective_date=date(2026, 11, 1))  # fmt: skip


def test_a_hole_in_the_schedules_is_no_suspension() -> None:
    assert only(CHECK, paused_in_november().remove("amendments", "AM1")).period[0] == date(2026, 11, 1)


def looks_alike() -> dict[str, Ledger]:
    line = unbilled_december()
    return {
        "a draft bills it": clean().change("invoices", "INV12", status="draft"),
        "billed by hand for the contract line": line.invoice(
            "INVH", date(2026, 12, 1), seats(12, line_version_key=None, contract_line_key="CL1")
        ),
        "prepaid": unbilled_december().change("subscription_lines", "SL1", charged_through=date(2027, 1, 1)),
        "cancelled": unbilled_december().change("subscriptions", "S1", cancelled_date=date(2026, 12, 1)),
        "suspended": unbilled_december().change("subscriptions", "S1", status="suspended"),
        "was suspended and resumed": paused_in_november(),
        "a free period": unbilled_december().change("subscription_lines", "SL1", free_until=date(2027, 1, 1)),
        "ended": unbilled_december().change("subscription_lines", "SL1", end_date=date(2026, 12, 1)),
        "a test account": unbilled_december().change_account(is_test=True),
        "metered": unbilled_december().change("subscription_lines", "SL1", charge_type="usage"),
        "for nothing": unbilled_december().change("billing_schedules", "SL1", unit_price=Decimal(0)),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_what_the_platform_says_it_billed_is_not_believed_between_billed_periods() -> None:
    ledger = unbilled_november().change("subscription_lines", "SL1", charged_through=date(2027, 1, 1))
    assert only(CHECK, ledger).period[0] == date(2026, 11, 1)


def test_a_void_invoice_bills_nothing() -> None:
    assert only(CHECK, clean().change("invoices", "INV12", status="void")).period[0] == date(2026, 12, 1)


def test_lines_of_an_older_version_are_due_under_the_current_one() -> None:
    ledger = unbilled_december().subscription("S1b", number="N-S1", version=2, status="cancelled",
                                              cancelled_date=date(2026, 12, 1))  # fmt: skip
    assert findings(CHECK, ledger) == ()


def test_contracts_alone_will_do() -> None:
    without = [("billing", "subscription_lines"), ("billing", "subscriptions"), ("billing", "billing_schedules")]
    ledger = Ledger().account().contract().contract_line()
    for month in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12):
        line = seats(month, line_version_key=None, contract_line_key="CL1")
        ledger.invoice(f"INV{month}", date(2026, month, 1), line)
    ledger.contract_line("CL1-A", revises_key="CL1", quantity=Decimal(20), start_date=date(2026, 10, 1))
    finding = only(CHECK, ledger, unmapped=without)
    assert str(finding.record) == "crm/contract_lines/CL1"
    assert finding.amount == Decimal("20800.00")


def test_nothing_can_be_due_where_neither_lines_nor_contracts_are_read() -> None:
    evaluation = ask(CHECK, clean(), unmapped=[("billing", "subscription_lines"), ("crm", "contract_lines")])
    assert evaluation.reason == "tieout.yaml maps no source that fills subscription_lines or contract_lines."
