"""Books with exactly one record that points at none, or at the wrong one."""

from collections.abc import Callable, Mapping
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


BROKEN: Mapping[str, Callable[[], Ledger]] = {"orphan_child_record": stray_line}
