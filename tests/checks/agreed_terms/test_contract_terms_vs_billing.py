from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind, Outcome
from tests.checks.broken import amended, underpriced
from tests.checks.kit import Ledger, ask, clean, findings, only, seats

CHECK = "contract_terms_vs_billing"


def test_too_little_is_a_leak_and_too_much_is_overbilled() -> None:
    finding = only(CHECK, underpriced("18000"))
    assert str(finding.record) == "billing/invoice_lines/INV12-1"
    assert (finding.amount, finding.kind, finding.invoice_key) == (Decimal("2000.00"), MoneyKind.LEAK, "INV12")
    finding = only(CHECK, underpriced("21000"))
    assert (finding.amount, finding.kind) == (Decimal("1000.00"), MoneyKind.OVERBILL)


@pytest.mark.parametrize(("amount", "count"), [("19999.99", 0), ("19999.98", 1), ("20000.01", 0), ("20000.02", 1)])
def test_exactly_one_cent_is_tolerated(amount: str, count: int) -> None:
    assert len(findings(CHECK, underpriced(amount))) == count


def test_the_arithmetic_is_shown() -> None:
    assert only(CHECK, underpriced()).arithmetic == (
        "expected = (quantity * unit_price * days + added) * months / (price_months * period_days) = "
        "(500 × 40 × 31 + 0) × 1 ÷ (1 × 31) = 20,000; actual = billed * rate = 18,000 × 1 = 18,000; "
        "amount = expected - actual + min(credited, max(0, actual - expected)) = "
        "20,000 − 18,000 + min(0, max(0, 18,000 − 20,000)) = 2,000"
    )


def upgraded(*lines: dict[str, Any]) -> Ledger:
    """20 seats more from 16 November; November was billed in advance for 500."""
    ledger = amended(20, date(2026, 11, 16)).change("invoice_lines", "INV12-1", amount=Decimal(20_800))
    ledger.change("invoices", "INV12", total=Decimal(20_800))
    return ledger.invoice("INVP", date(2026, 11, 16), *lines) if lines else ledger


def part(quantity: int, amount: str, **columns: Any) -> dict[str, Any]:
    return seats(11, period_start=date(2026, 11, 16), quantity=Decimal(quantity), amount=Decimal(amount), **columns)


def test_a_change_within_a_period_is_prorated_by_its_days() -> None:
    """15 of 30 days of 20 × 40."""
    finding = only(CHECK, upgraded())
    assert finding.amount == Decimal("400.00")
    assert finding.terms["added"] == 20 * 40 * 15
    assert finding.period == (date(2026, 11, 1), date(2026, 12, 1))


def test_a_change_is_not_missing_before_the_next_period_is_billed() -> None:
    ledger = upgraded().remove("invoices", "INV12").remove("invoice_lines", "INV12-1")
    evaluation = ask(CHECK, ledger, now=datetime(2026, 11, 20, tzinfo=UTC))
    assert evaluation.outcome is Outcome.PASSED
    assert evaluation.wake_ups == (datetime(2026, 12, 1, tzinfo=UTC),)


def in_quarters(months: tuple[int, ...], amount: str) -> Ledger:
    ledger = Ledger().account().contract().subscription()
    ledger.contract_line(billing_months=3, billing_timing="arrears")
    ledger.subscription_line(billing_months=3, billing_timing="arrears")
    for month in months:
        end = date(2026, month + 3, 1)
        ledger.invoice(f"INV{month}", end, seats(month, period_end=end, amount=Decimal(amount)))
    return ledger


def stub(amount: str) -> Ledger:
    """From 18 August to the first bill day: 14 of 31 days of 7 × 5.00, worked examples A02a and A02b."""
    start = date(2026, 8, 18)
    ledger = Ledger().account(bill_day=1).contract(start_date=start).subscription(start_date=start)
    said: dict[str, Any] = {"quantity": Decimal(7), "unit_price": Decimal(5), "start_date": start}
    ledger.contract_line(**said).subscription_line(**said)
    line = {"period_start": start, "period_end": date(2026, 9, 1), "amount": Decimal(amount)}
    return ledger.invoice("INV8", start, line)


def looks_alike() -> dict[str, Ledger]:
    discount = seats(12, charge_type="discount", quantity=None, unit_price=None, amount=Decimal(-2_000))
    charge = seats(12, amount=Decimal(22_000), unit_price=Decimal(44))
    discounted = clean().remove("invoices", "INV12").remove("invoice_lines", "INV12-1")
    free = clean().change("contract_lines", "CL1", free_until=date(2026, 11, 16))
    free.change("invoice_lines", "INV11-1", amount=Decimal(10_000), period_start=date(2026, 11, 16))
    for month in range(1, 11):
        free.remove("invoices", f"INV{month}").remove("invoice_lines", f"INV{month}-1")
    return {
        "the change was billed": upgraded(part(20, "400")),
        "credited and billed anew": upgraded(part(-500, "-10000", charge_type="credit"), part(520, "10400")),
        "a discount on a line of its own": discounted.invoice("INV12", date(2026, 12, 1), charge, discount),
        "quarters in arrears": in_quarters((1, 4, 7), "60000"),
        "actual days": stub("15.81"),
        "days of a 30-day month": stub("16.33"),
        "a free period that ends within the month": free,
        "usage": underpriced().change("contract_lines", "CL1", charge_type="usage"),
        "a void invoice": underpriced().change("invoices", "INV12", status="void"),
        "billed twice": clean().invoice("INVX", date(2026, 12, 1), seats(12)),
        "a price per year": clean().change("contract_lines", "CL1", unit_price=Decimal(480), price_months=12),
    }


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_a_whole_month_for_a_stub_is_too_much() -> None:
    assert only(CHECK, stub("35")).amount == Decimal("19.19")


def test_a_wrong_quarter_is_found() -> None:
    assert only(CHECK, in_quarters((4,), "59000")).amount == Decimal("1000.00")


def test_cancelled_days_are_left_to_their_own_check() -> None:
    ledger = clean().change("subscriptions", "S1", cancelled_date=date(2026, 12, 11))
    assert findings(CHECK, ledger) == ()
    ledger.change("invoice_lines", "INV12-1", period_end=date(2026, 12, 11), amount=Decimal("6451.61"))
    assert findings(CHECK, ledger) == ()


def credited(ledger: Ledger, amount: int, **columns: Any) -> Ledger:
    said: dict[str, Any] = {
        "invoice_key": "INV12",
        "amount": Decimal(amount),
        "currency": "USD",
        "memo_date": date(2026, 12, 1),
    }
    return ledger.add("credit_memos", "billing", "M1", **{**said, **columns})


def test_a_credit_memo_settles_what_was_too_much_and_nothing_else() -> None:
    assert only(CHECK, credited(underpriced("21000"), 400)).amount == Decimal("600.00")
    assert findings(CHECK, credited(underpriced("21000"), 5000)) == ()
    assert only(CHECK, credited(underpriced("18000"), 400)).amount == Decimal("2000.00")
    assert findings(CHECK, credited(clean(), 400)) == ()


def test_the_memo_of_the_erp_names_the_invoice_by_number() -> None:
    ledger = underpriced("21000").change("invoices", "INV12", number="2026-0012")
    memo = {"invoice_key": "2026-0012", "amount": Decimal(400), "currency": "USD", "memo_date": date(2026, 12, 1)}
    ledger.add("credit_memos", "erp", "M9", **memo)
    assert only(CHECK, ledger).amount == Decimal("600.00")
    assert only(CHECK, credited(ledger, 400)).amount == Decimal("600.00")


def in_euro(rate_date: date | None) -> Ledger:
    """December is billed in EUR; 18,518.52 EUR × 1.08 is 20,000.00 USD."""
    ledger = clean().change("invoices", "INV12", currency="EUR")
    ledger.change("invoice_lines", "INV12-1", amount=Decimal("18518.52"))
    if rate_date is not None:
        rate = {"from_currency": "EUR", "to_currency": "USD", "rate_date": rate_date, "rate": Decimal("1.08")}
        ledger.add("fx_rates", "reference", "1", account_key=None, **rate)
    return ledger


def test_another_currency_at_the_rate_of_its_day() -> None:
    assert findings(CHECK, in_euro(date(2026, 12, 1))) == ()
    assert findings(CHECK, in_euro(date(2026, 12, 1) - timedelta(days=30))) == ()
    ledger = in_euro(date(2026, 12, 1)).change("invoice_lines", "INV12-1", amount=Decimal(20_000))
    assert only(CHECK, ledger).amount == Decimal("1600.00")


@pytest.mark.parametrize("rate_date", [None, date(2026, 12, 2), date(2026, 10, 31)])
def test_without_a_rate_for_the_day_nothing_is_said(rate_date: date | None) -> None:
    evaluation = ask(CHECK, in_euro(rate_date))
    assert evaluation.outcome is Outcome.NOT_EVALUATED
    assert [w.record.key for w in evaluation.waiting] == ["INV12-1"]


def test_a_trillion_yen_to_the_yen() -> None:
    price = Decimal(2_000_000_000)
    ledger = Ledger().account(currency="JPY").contract(currency="JPY").subscription(currency="JPY")
    ledger.contract_line(unit_price=price, currency="JPY").subscription_line(unit_price=price, currency="JPY")
    line = seats(12, unit_price=price, amount=Decimal(10**12))
    ledger.invoice("INV12", date(2026, 12, 1), line, currency="JPY")
    assert findings(CHECK, ledger) == ()
    ledger.change("invoice_lines", "INV12-1", amount=Decimal(10**12 - 1))
    finding = only(CHECK, ledger)
    assert (finding.amount, finding.expected) == (Decimal(1), Decimal(10**12))
