"""Books that hold one state that each check on cash must find."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean


def refused(**columns: Any) -> Ledger:
    """The invoice of October is open: its payment failed on a Monday in November."""
    said: dict[str, Any] = {
        "number": "P-1",
        "status": "failed",
        "invoice_key": "INV10",
        "amount": Decimal(20_000),
        "currency": "USD",
        "paid_date": date(2026, 11, 16),
        "attempted_at": datetime(2026, 11, 16, 10, tzinfo=UTC),
        "failure": "Do not honor",
        "provider_state": "failedtosettle",
    }
    return clean().unpaid("INV10").add("payments", "billing", "P1", **{**said, **columns})


def unassigned(**columns: Any) -> Ledger:
    """A receipt of October that names no invoice."""
    said: dict[str, Any] = {
        "number": "P-2",
        "status": "processed",
        "amount": Decimal(500),
        "currency": "USD",
        "paid_date": date(2026, 10, 20),
    }
    return clean().add("payments", "billing", "P2", **{**said, **columns})


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "payment_failure_no_dunning": refused,
    "cash_unapplied": unassigned,
}
