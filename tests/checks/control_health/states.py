"""Books with exactly one state of our own controls that have gone stale."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean
from tests.checks.silent_failures.states import ago


def held(ledger: Ledger | None = None, key: str = "H1", **columns: Any) -> Ledger:
    """The December draft of the clean customer, held back since yesterday."""
    said: dict[str, Any] = {
        "run_key": "BR-1",
        "invoice_key": "INV12",
        "owner": "maria",
        "reason": "seat_overage_unbilled",
        "amount": Decimal(20_000),
        "currency": "USD",
        "held_at": ago(26),
        "due_at": ago(20),
    }
    ledger = ledger or clean().change("invoices", "INV12", status="draft")
    return ledger.add("holds", "controls", key, **{**said, **columns})


def overridden(*months: int, ledger: Ledger | None = None, **columns: Any) -> Ledger:
    """One check, overridden for the clean customer's invoices of these months of 2026."""
    ledger = ledger or clean()
    for month in months:
        said: dict[str, Any] = {
            "check": "pricing_drift",
            "run_key": f"BR-{month}",
            "invoice_key": f"INV{month}",
            "approved_by": "lukas",
            "approved_at": datetime(2026, month, 1, 8, tzinfo=UTC),
            "amount": Decimal(150),
            "currency": "USD",
        }
        ledger.add("overrides", "controls", f"O{month}", **{**said, **columns})
    return ledger


def written(ledger: Ledger | None = None, key: str = "RC1", **columns: Any) -> Ledger:
    """A price of the clean customer, uploaded past the order yesterday."""
    said: dict[str, Any] = {
        "object": "RatePlanCharge",
        "record_key": "C-1",
        "field": "Price",
        "before": "40.00",
        "after": "34.50",
        "changed_at": ago(26),
        "changed_by": "bob@example.com",
        "via": "import",
        "currency": "USD",
    }
    return (ledger or clean()).add("record_changes", "audit", key, **{**said, **columns})


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "gate_hold_aged": held,
    "recurring_override": lambda: overridden(9, 10, 11),
    "manual_backdoor_write": written,
}
