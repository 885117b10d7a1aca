"""Books with exactly one credit that is not in order."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean, seats
from tests.checks.ledger import booked


def credited(ledger: Ledger | None = None, key: str = "CM1", role: str = "billing", **columns: Any) -> Ledger:
    """A documented credit memo of 1,200.00 on November's invoice."""
    said: dict[str, Any] = {
        "number": f"N-{key}",
        "status": "posted",
        "invoice_key": "INV11",
        "amount": Decimal(1_200),
        "currency": "USD",
        "memo_date": date(2026, 11, 12),
        "reason": "A service level was missed.",
        "reason_code": "service_level",
        "approved_by": "maria",
    }
    return (ledger or clean()).add("credit_memos", role, key, **{**said, **columns})


def rebilled(amount: int = 15_000, **columns: Any) -> Ledger:
    """November's 20,000.00 were credited, and so much was billed again on INVR."""
    said = {"amount": Decimal(20_000), "reason_code": "credit_and_rebill", "rebill_key": "INVR", **columns}
    line = seats(11, amount=Decimal(amount), line_version_key=None)
    return credited(clean().invoice("INVR", date(2026, 11, 14), line), **said)


def spike(*amounts: int, **columns: Any) -> Ledger:
    """So many memos of one day."""
    ledger = clean()
    for n, amount in enumerate(amounts or (6_000, 6_500), 1):
        credited(ledger, f"CM{n}", amount=Decimal(amount), **columns)
    return ledger


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "credit_memo_without_contract": lambda: credited(approved_by=None),
    "credit_memo_without_revenue_treatment": lambda: credited(booked(), invoice_key="INVY"),
    "credit_rebill_imbalance": rebilled,
    "credit_memo_spike": spike,
}
