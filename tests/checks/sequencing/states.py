"""Books with exactly one step that came too late, too early, or not everywhere."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean


def in_use(ledger: Ledger, month: int = 11, **columns: Any) -> Ledger:
    """Seats of the clean customer that were active in a month of 2026."""
    said: dict[str, Any] = {
        "contract_line_key": "CL1",
        "product_code": "SEAT",
        "active_quantity": Decimal(480),
        "period_start": date(2026, month, 1),
        "period_end": date(2026 + month // 12, month % 12 + 1, 1),
        "measure": "peak",
        "is_trial": False,
    }
    return ledger.add("entitlements", "seats", f"CL1-2026-{month:02}", **{**said, **columns})


def served_while_suspended(**columns: Any) -> Ledger:
    """Suspended in billing since November, and in use in November."""
    ledger = clean().change("subscriptions", "S1", status="suspended")
    ledger.remove("invoices", "INV11", "INV12").remove("invoice_lines", "INV11-1", "INV12-1")
    return in_use(ledger, **columns)


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "active_not_billing": served_while_suspended,
}
