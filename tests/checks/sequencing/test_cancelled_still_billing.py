from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from checks.contract import MoneyKind
from tests.checks.broken import cancelled
from tests.checks.kit import Ledger, ask, clean, findings, only, seats

CHECK = "cancelled_still_billing"


def test_only_the_days_after_the_cancellation() -> None:
    finding = only(CHECK, cancelled())
    assert str(finding.record) == "billing/invoice_lines/INV11-1"
    # 15 of 30 days of 20,000.
    assert (finding.amount, finding.kind) == (Decimal("10000.00"), MoneyKind.OVERBILL)


def test_a_period_that_lies_after_it_altogether() -> None:
    ledger = clean().change("contract_lines", "CL1", terminated_date=date(2026, 11, 1))
    assert [(f.record.key, f.amount) for f in findings(CHECK, ledger)] == [
        ("INV11-1", Decimal("20000.00")),
        ("INV12-1", Decimal("20000.00")),
    ]


@pytest.mark.parametrize(("on", "count"), [(date(2026, 12, 1), 0), (date(2026, 11, 30), 1)])
def test_the_last_day_that_is_covered(on: date, count: int) -> None:
    assert len(findings(CHECK, cancelled(on))) == count


def test_the_earliest_of_the_cancellations_counts() -> None:
    ledger = cancelled(date(2026, 11, 21)).change("contracts", "K1", cancelled_date=date(2026, 11, 16))
    assert only(CHECK, ledger).terms["days_after"] == 15


def test_the_contract_of_a_line_that_names_no_contract_line() -> None:
    ledger = clean().change("subscription_lines", "SL1", contract_line_key=None)
    ledger.change("contracts", "K1", cancelled_date=date(2026, 12, 16))
    assert only(CHECK, ledger, now=datetime(2026, 12, 16, tzinfo=UTC)).terms["days_after"] == 16


def looks_alike() -> dict[str, Ledger]:
    back = seats(11, period_start=date(2026, 11, 16), quantity=Decimal(-500), amount=Decimal(-10_000))
    memo = {"invoice_key": "INV11", "amount": Decimal(10_000), "currency": "USD", "memo_date": date(2026, 11, 20)}
    return {
        "nobody cancelled": clean(),
        "the days were billed only to the cancellation": cancelled().change(
            "invoice_lines", "INV11-1", period_end=date(2026, 11, 16), amount=Decimal(10_000)
        ),
        "the rest was credited on a line": cancelled().invoice(
            "INVC", date(2026, 11, 16), {**back, "charge_type": "credit"}
        ),
        "the rest was credited by a memo": cancelled().add("credit_memos", "billing", "M1", **memo),
        "the last usage": cancelled().change("subscription_lines", "SL1", charge_type="usage"),
        "a void invoice": cancelled().change("invoices", "INV11", status="void"),
        "an older version was cancelled": cancelled().subscription("S1b", number="N-S1", version=2),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_cancellation_to_come_is_a_wake_up_unless_the_invoice_is_a_draft() -> None:
    ledger = clean().change("subscriptions", "S1", cancelled_date=date(2026, 12, 15))
    assert ask(CHECK, ledger).wake_ups == (datetime(2026, 12, 15, tzinfo=UTC),)
    assert only(CHECK, ledger.change("invoices", "INV12", status="draft")).terms["days_after"] == 17
