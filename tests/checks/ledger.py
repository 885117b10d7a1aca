"""The clean customer as the ERP has it: one invoice of a year, its schedule, its periods and the general ledger."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.checks.kit import NOW, Ledger, clean

YEAR = Decimal(12_000)


def months(first: int = 1, last: int = 12) -> list[tuple[int, date, date]]:
    """The months of 2026 with their first day and the first day after them."""
    return [(n, date(2026, n, 1), date(2026 + n // 12, n % 12 + 1, 1)) for n in range(first, last + 1)]


def entry(
    ledger: Ledger, key: str, document: str, kind: str, origin: str, amount: int, day: date, **columns: Any
) -> Ledger:
    said: dict[str, Any] = {
        "document_key": document,
        "kind": kind,
        "origin": origin,
        "amount": Decimal(amount),
        "currency": "USD",
        "posted_date": day,
        "period_key": f"P{day.month}",
        "modified_at": NOW.replace(year=day.year, month=day.month, day=day.day),
    }
    return ledger.add("ledger_entries", "erp", key, **{**said, **columns})


def booked() -> Ledger:
    """12,000.00 for 2026, invoiced in February with 1,200.00 of tax, paid in March, recognised up to October.

    Periods are the months; those up to October were closed on the fifth of the next month.
    """
    ledger = clean().invoice(
        "INVY", date(2026, 2, 1), {"amount": YEAR, "tax": Decimal(1_200), "line_version_key": None}
    )
    ledger.add(
        "invoices",
        "erp",
        "E1",
        number="ERP-1",
        billing_key="INVY",
        status="posted",
        total=Decimal(13_200),
        currency="USD",
        invoice_date=date(2026, 2, 1),
    )
    ledger.add(
        "invoice_lines",
        "erp",
        "EL1",
        invoice_key="E1",
        billing_key="INVY-1",
        product_code="SEAT",
        amount=YEAR,
        currency="USD",
        recognition="over_time",
        period_start=date(2026, 1, 1),
        period_end=date(2027, 1, 1),
    )
    ledger.add(
        "revenue_schedules", "erp", "R1", invoice_line_key="EL1", amount=YEAR, allocated=YEAR,
        recognized=Decimal(10_000), currency="USD", start_date=date(2026, 1, 1), end_date=date(2027, 1, 1),
    )  # fmt: skip
    for n, start, end in months():
        closed = end + timedelta(days=5) if n < 11 else None
        ledger.add(
            "accounting_periods", "erp", f"P{n}", account_key=None, name=f"{start:%b %Y}", start_date=start,
            end_date=end, closed=closed is not None, closed_on=closed,
        )  # fmt: skip
    # The ledger has this one invoice; what the clean customer paid for others is not in it.
    ledger.rows["payments"] = [row for row in ledger.rows.get("payments", []) if not row["key"].startswith("P-INV")]
    return _posted(ledger)


def _posted(ledger: Ledger) -> Ledger:
    day = date(2026, 2, 1)
    entry(ledger, "G1", "E1", "receivable", "invoice", 13_200, day)
    entry(ledger, "G2", "E1", "tax", "invoice", -1_200, day)
    entry(ledger, "G3", "E1", "deferred_revenue", "invoice", -12_000, day)
    for n, start, end in months(1, 10):
        on = max(end - timedelta(days=1), date(2026, 2, 28))
        entry(ledger, f"D{n}", f"RJ{n}", "deferred_revenue", "recognition", 1_000, on, service_date=start)
        entry(ledger, f"V{n}", f"RJ{n}", "revenue", "recognition", -1_000, on, service_date=start)
    day = date(2026, 3, 10)
    entry(ledger, "C1", "PAY1", "cash", "payment", 13_200, day)
    entry(ledger, "C2", "PAY1", "receivable", "payment", -13_200, day)
    return ledger.add(
        "payments", "billing", "PAY1", status="processed", amount=Decimal(13_200), currency="USD", paid_date=day
    )
