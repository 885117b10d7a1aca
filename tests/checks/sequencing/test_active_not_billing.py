from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.kit import Ledger, ask, clean, findings, only, seats
from tests.checks.sequencing.states import in_use, served_while_suspended

CHECK = "active_not_billing"


def test_a_month_in_use_while_the_subscription_is_suspended() -> None:
    finding = only(CHECK, served_while_suspended())
    assert str(finding.record) == "billing/subscription_lines/SL1"
    assert (finding.amount, finding.kind) == (Decimal("20000.00"), MoneyKind.LEAK)
    assert finding.period == (date(2026, 11, 1), date(2026, 12, 1))


def cancelled_in_billing() -> Ledger:
    """Cancelled as of 16 November in billing alone; the days before were billed."""
    ledger = served_while_suspended().change(
        "subscriptions", "S1", status="cancelled", cancelled_date=date(2026, 11, 16)
    )
    half = seats(11, period_end=date(2026, 11, 16), amount=Decimal(10_000))
    return ledger.invoice("INV11", date(2026, 11, 1), half)


def test_the_days_after_a_cancellation_that_only_billing_knows() -> None:
    finding = only(CHECK, cancelled_in_billing())
    assert (finding.amount, finding.terms["unbilled_days"]) == (Decimal("10000.00"), Decimal(15))


def test_a_month_is_judged_once_it_is_over() -> None:
    evaluation = ask(CHECK, served_while_suspended(), now=datetime(2026, 11, 20, tzinfo=UTC))
    assert (evaluation.findings, evaluation.wake_ups) == ((), (datetime(2026, 12, 1, tzinfo=UTC),))


def looks_alike() -> dict[str, Ledger]:
    suspended = served_while_suspended
    by_hand = seats(11, line_version_key=None, contract_line_key="CL1")
    return {
        "active in billing: another check's": in_use(
            clean().remove("invoices", "INV11").remove("invoice_lines", "INV11-1")
        ),
        "nobody uses it": suspended(active_quantity=Decimal(0)),
        "a trial": suspended(is_trial=True),
        "a trial line": suspended().change("subscription_lines", "SL1", is_trial=True),
        "prepaid": suspended().change("subscription_lines", "SL1", charged_through=date(2026, 12, 1)),
        "free": suspended().change("contract_lines", "CL1", free_until=date(2026, 12, 1)),
        "the contract was cancelled too": suspended().change("contracts", "K1", cancelled_date=date(2026, 11, 1)),
        "the contract has ended: a renewal's": suspended().change("contract_lines", "CL1", end_date=date(2026, 11, 1)),
        "billed by hand": suspended().invoice("INVH", date(2026, 11, 1), by_hand),
        "another subscription bills it": suspended().subscription("S2").subscription_line("SL2", "S2"),
        "a test account": suspended().change_account(is_test=True),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()
