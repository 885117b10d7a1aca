"""Books with exactly one step that came too late, too early, or not everywhere."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
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


def events(*said: tuple[int, int, dict[str, Any]], field: str = "Quantity") -> Ledger:
    """Changes of the clean customer's subscription line: (sequence, day of November on which it was applied, more)."""
    ledger = clean()
    for sequence, day, columns in said:
        base: dict[str, Any] = {
            "object": "RatePlanCharge",
            "record_key": "SL1",
            "field": field,
            "after": f"as of {sequence}",
            "changed_at": datetime(2026, 11, day, 9, tzinfo=UTC),
            "sequence": sequence,
            "effective_date": date(2026, 11, 1),
        }
        ledger.add("record_changes", "audit", f"EV{sequence}-{day}", **{**base, **columns})
    return ledger


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "active_not_billing": served_while_suspended,
    "event_out_of_order": lambda: events((1, 2, {}), (3, 4, {"amount": Decimal(900), "currency": "USD"}), (2, 9, {})),
}
