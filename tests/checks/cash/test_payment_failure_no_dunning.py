from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.cash.states import refused
from tests.checks.kit import Ledger, ask, findings, only

CHECK = "payment_failure_no_dunning"


def step(ledger: Ledger, day: int, status: str = "done") -> Ledger:
    at = datetime(2026, 11, day, 9, tzinfo=UTC)
    return ledger.add(
        "dunning_steps", "collections", f"D{day}", invoice_key="INV10", kind="retry", status=status, happened_at=at
    )


def paid(ledger: Ledger, amount: int, **columns: Any) -> Ledger:
    said: dict[str, Any] = {"status": "processed", "amount": Decimal(amount), "paid_date": date(2026, 11, 1)}
    return ledger.add("payments", "billing", "P0", **{**said, "currency": "USD", **columns})


def test_nobody_acted() -> None:
    finding = only(CHECK, refused())
    assert (finding.amount, finding.kind) == (Decimal(20_000), MoneyKind.TIMING)
    assert finding.subject == "INV10"


def test_what_is_left_of_the_invoice_is_at_stake() -> None:
    ledger = paid(refused(), 12_500)
    ledger.add("payment_applications", "billing", "A0", payment_key="P0", invoice_key="INV10", amount=Decimal(12_500))
    assert only(CHECK, ledger).amount == Decimal(7_500)


def test_what_is_credited_or_in_dispute_is_not_unpaid() -> None:
    ledger = refused().change("invoices", "INV10", disputed_amount=Decimal(5_000))
    memo: dict[str, Any] = {"status": "posted", "invoice_key": "INV10", "memo_date": date(2026, 11, 12)}
    ledger.add("credit_memos", "billing", "CM1", amount=Decimal(3_000), currency="USD", **memo)
    assert only(CHECK, ledger).amount == Decimal(12_000)
    assert not findings(CHECK, ledger.change("invoices", "INV10", disputed_amount=Decimal(17_000)))


def test_a_memo_that_nobody_can_convert_leaves_it_open() -> None:
    memo: dict[str, Any] = {"status": "posted", "invoice_key": "INV10", "memo_date": date(2026, 11, 12)}
    ledger = refused().add("credit_memos", "billing", "CM1", amount=Decimal(3_000), currency="EUR", **memo)
    assert ask(CHECK, ledger).outcome is Outcome.NOT_EVALUATED


def test_three_working_days_are_given() -> None:
    """From Monday the 16th: the 19th begins with the finding."""
    assert not findings(CHECK, refused(), now=datetime(2026, 11, 18, 23, 59, tzinfo=UTC))
    assert findings(CHECK, refused(), now=datetime(2026, 11, 19, tzinfo=UTC))


def test_a_step_after_the_failure_is_enough() -> None:
    assert not findings(CHECK, step(refused(), 17))


@pytest.mark.parametrize(("day", "status"), [(17, "failed"), (12, "done")])
def test_a_step_that_failed_or_came_before_is_none(day: int, status: str) -> None:
    assert findings(CHECK, step(refused(), day, status))


def test_the_provider_is_still_at_it() -> None:
    assert not findings(CHECK, refused(provider_state="submitted"))


def test_only_the_last_attempt_counts() -> None:
    later = datetime(2026, 11, 25, 10, tzinfo=UTC)
    again = paid(refused(), 20_000, status="failed", invoice_key="INV10", attempted_at=later)
    assert only(CHECK, again).record.key == "P0"
    pending = paid(refused(), 20_000, status="pending", invoice_key="INV10", attempted_at=later)
    assert not findings(CHECK, pending)


def test_without_a_dunning_log_nothing_is_claimed() -> None:
    assert ask(CHECK, refused(), unmapped=[("collections", "dunning_steps")]).outcome is Outcome.NOT_APPLICABLE
