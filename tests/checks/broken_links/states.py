"""Books with exactly one record that points at none, or at the wrong one."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean


def stray_line(ledger: Ledger | None = None, key: str = "INVX-1", **columns: Any) -> Ledger:
    """A line of 300.00 of an invoice that billing does not have."""
    said: dict[str, Any] = {"invoice_key": "INVX", "product_code": "EXTRA", "amount": Decimal(300), "currency": "USD"}
    return (ledger or clean()).add("invoice_lines", "billing", key, **{**said, **columns})


def plan(ledger: Ledger | None = None, key: str = "RE1", **columns: Any) -> Ledger:
    """A revenue plan of 1,200.00 of a line that the ERP does not have."""
    said: dict[str, Any] = {"invoice_line_key": "L9", "amount": Decimal(1200), "currency": "USD"}
    return (ledger or clean()).add("revenue_schedules", "erp", key, **{**said, **columns})


def renewed(ends: date = date(2026, 10, 1), link: str | None = "K1", **columns: Any) -> Ledger:
    """The contract of the seats ends on a day; a second one renews it from the first of October on."""
    ledger = clean().change("contracts", "K1", end_date=ends).change("contract_lines", "CL1", end_date=ends)
    ledger.change("subscriptions", "S1", end_date=ends).change("subscription_lines", "SL1", end_date=ends)
    said = {"start_date": date(2026, 10, 1), "end_date": date(2027, 10, 1)}
    ledger.contract("K2", renews_key=link, opportunity_key="O2", **said, **columns).contract_line("CL2", "K2", **said)
    ledger.add("opportunities", "crm", "O2", type="Renewal", is_won=True, is_closed=True)
    return ledger


def replaced(billed: str = "20000", **columns: Any) -> Ledger:
    """From December on the schedule has 550 seats, in its second version; December's line bills the first."""
    day = date(2026, 12, 1)
    ledger = clean().change("billing_schedules", "SL1", end_date=day)
    said = {"quantity": Decimal(550), "unit_price": Decimal(40), "price_months": 1, "currency": "USD", **columns}
    ledger.schedule("SL1-2", version=2, segment=2, start_date=day, end_date=date(2027, 1, 1), **said)
    return ledger.change("invoice_lines", "INV12-1", amount=Decimal(billed))


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "orphan_child_record": stray_line,
    "renewal_chain_broken": lambda: renewed(date(2026, 12, 1)),
    "invoice_schedule_version_mismatch": replaced,
}
