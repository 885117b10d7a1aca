"""Books with exactly one invoice, or one run, that is wrong by itself."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean, seats

DAY = date(2026, 12, 1)


def taxed(*without: int, **columns: Any) -> Ledger:
    """The clean customer, taxed at 19 % by VAT in every month but those; `columns` replace December's draft line's."""
    ledger = clean()
    for month in range(1, 13):
        tax = Decimal(0 if month in without else 3_800)
        ledger.change("invoice_lines", f"INV{month}-1", tax=tax, tax_code="VAT")
        ledger.change("invoices", f"INV{month}", tax=tax, total=Decimal(20_000) + tax)
    ledger.change("invoices", "INV12", status="draft")
    return ledger.change("invoice_lines", "INV12-1", **columns) if columns else ledger


def one_line_without_tax() -> Ledger:
    """December's draft has a second line, which is taxed; the first is not."""
    ledger = taxed(12).subscription_line("SL2", line=None, product_code="SUPPORT")
    line = seats(12, line_version_key="SL2", amount=Decimal(100), tax=Decimal(19), tax_code="VAT")
    return ledger.add("invoice_lines", "billing", "INV12-2", invoice_key="INV12", **line)


def in_euro() -> Ledger:
    """December's draft says euro; everything else is in dollars."""
    ledger = clean().change("invoices", "INV12", status="draft", currency="EUR")
    rate = {"from_currency": "EUR", "to_currency": "USD", "rate": Decimal("1.10"), "rate_date": date(2026, 12, 1)}
    return ledger.add("fx_rates", "reference", "R1", account_key=None, **rate)


def jumped(amount: int = 26_000, **columns: Any) -> Ledger:
    """Billing alone knows the line; December's draft bills more than November's invoice did."""
    ledger = clean().remove("contract_lines", "CL1").change("subscription_lines", "SL1", contract_line_key=None)
    ledger.change("invoice_lines", "INV12-1", amount=Decimal(amount), **columns)
    return ledger.change("invoices", "INV12", status="draft", total=Decimal(amount))


def banded(ledger: Ledger, low: str = "-500", high: str = "700", **columns: Any) -> Ledger:
    """What a model expects beside the schedule of the first of December: 100, between `low` and `high`."""
    said: dict[str, Any] = {
        "metric": "run_residual",
        "subject": "billing",
        "period_start": DAY,
        "period_end": date(2026, 12, 2),
        "expected": Decimal(100),
        "low": Decimal(low),
        "high": Decimal(high),
        "currency": "USD",
        "account_key": None,
    }
    return ledger.add("expected_bands", "controls", "B1", **{**said, **columns})


def slipped(amount: str = "1250000") -> Ledger:
    """December's draft has a line typed by hand beside the 20,000 that are scheduled."""
    ledger = clean().remove("invoices", "INV12").remove("invoice_lines", "INV12-1")
    typed: dict[str, Any] = {
        "line_version_key": None,
        "product_code": "TRAINING",
        "charge_type": "one_time",
        "amount": Decimal(amount),
    }
    return banded(ledger.invoice("INV12", DAY, seats(12), typed, status="draft"))


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "invoice_variance_unexplained": jumped,
    "run_total_anomaly": slipped,
    "tax_or_currency_mismatch": one_line_without_tax,
}
