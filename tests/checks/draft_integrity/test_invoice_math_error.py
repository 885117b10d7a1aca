from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import MoneyKind
from tests.checks.broken import wrong_total
from tests.checks.kit import Ledger, clean, findings, only, seats

CHECK = "invoice_math_error"


def test_lines_and_tax_miss_the_total() -> None:
    finding = only(CHECK, wrong_total())
    assert str(finding.record) == "billing/invoices/INV12"
    assert (finding.amount, finding.expected, finding.actual) == (
        Decimal("0.10"),
        Decimal("20000.00"),
        Decimal("20000.10"),
    )
    assert finding.kind is MoneyKind.EXPOSURE


@pytest.mark.parametrize(("lines", "off", "count"), [(1, "0.005", 0), (1, "0.01", 1), (2, "0.01", 0), (2, "0.0101", 1)])
def test_half_a_cent_for_each_line(lines: int, off: str, count: int) -> None:
    ledger = Ledger().account().contract().contract_line().subscription().subscription_line()
    ledger.invoice("INV", date(2026, 12, 1), *(seats(m) for m in range(1, lines + 1)))
    ledger.change("invoices", "INV", total=Decimal(20_000) * lines + Decimal(off))
    assert len(findings(CHECK, ledger)) == count


def test_one_yen_is_a_whole_unit() -> None:
    ledger = clean().change("invoices", "INV12", currency="JPY", total=Decimal("20000.4"))
    assert findings(CHECK, ledger) == ()
    assert only(CHECK, ledger.change("invoices", "INV12", total=Decimal(20_001))).amount == Decimal(1)


def with_line(**columns: Any) -> Ledger:
    ledger = clean().remove("invoices", "INV12").remove("invoice_lines", "INV12-1")
    return ledger.invoice("INV12", date(2026, 12, 1), seats(12, **columns))


def test_a_line_misses_quantity_times_price() -> None:
    finding = only(CHECK, with_line(amount=Decimal(2_000)))
    assert (finding.amount, finding.line_key) == (Decimal("18000.00"), "INV12-1")


def test_a_negative_charge_that_nothing_explains() -> None:
    finding = only(CHECK, with_line(quantity=Decimal(-500), amount=Decimal(-20_000)))
    assert finding.amount == Decimal("20000.00")
    assert "20,000 is negative" in finding.message


def looks_alike() -> dict[str, Ledger]:
    back = seats(11, quantity=Decimal(-250), amount=Decimal(-10_000))
    taxed = clean().remove("invoices", "INV12").remove("invoice_lines", "INV12-1")
    quarter = {"period_start": date(2026, 10, 1), "amount": Decimal(60_000)}
    tax_line = {"charge_type": "tax", "amount": Decimal(1_600)}
    return {
        "tax beside the line": with_line(tax=Decimal("1650.50")),
        "tax on a line of its own": taxed.invoice("INV12", date(2026, 12, 1), seats(12), tax_line, tax=None),
        "three months at the price of one": with_line(**quarter),
        "a price per year": with_line(unit_price=Decimal(480)).change("subscription_lines", "SL1", price_months=12),
        "a part of a month": with_line(period_start=date(2026, 12, 16), amount=Decimal("10322.58")),
        "a credit": with_line(charge_type="credit", quantity=Decimal(-1), unit_price=Decimal(50), amount=Decimal(-50)),
        "a charge taken back": clean().invoice("INVB", date(2026, 12, 1), back),
        "usage in tiers": with_line(charge_type="usage", quantity=Decimal(65_000), unit_price=Decimal("0.0006"),
                                    amount=Decimal(49)),
        "void": wrong_total().change("invoices", "INV12", status="void"),
    }  # fmt: skip


@pytest.mark.parametrize("name", looks_alike())
def test_what_looks_alike(name: str) -> None:
    assert findings(CHECK, looks_alike()[name]) == ()


def test_an_invoice_without_lines() -> None:
    assert only(CHECK, clean().remove("invoice_lines", "INV12-1")).amount == Decimal("20000.00")
