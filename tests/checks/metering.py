"""A customer with a meter: events, tiers and the bills of three months, all in order."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean

MONTHS = (9, 10, 11)
USED = Decimal(10_000)


def metered(model: str | None = None, *tiers: tuple[object, ...], zone: str | None = None, **columns: Any) -> Ledger:
    """The clean customer also buys API calls at 0.004, or by tiers of (up to, price, flat)."""
    ledger = clean().contract_line(
        "CL9", product_code="API-CALL", charge_type="usage", quantity=None, unit_price=Decimal("0.004"),
        list_price=Decimal("0.005"), billing_timing="arrears",
    )  # fmt: skip
    ledger.subscription_line(
        "SL9", line="CL9", product_code="API-CALL", name="API calls", charge_type="usage", quantity=None,
        unit_price=Decimal("0.004"), unit="Call", billing_timing="arrears", end_date=None, model=model, **columns,
    )  # fmt: skip
    below = Decimal(0)
    for n, (up_to, price, *flat) in enumerate(tiers, 1):
        ledger.add(
            "price_tiers", "billing", f"T{n}", line_version_key="SL9", tier=n, from_quantity=below,
            to_quantity=None if up_to is None else Decimal(str(up_to)), unit_price=Decimal(str(price)),
            flat_amount=Decimal(str(flat[0])) if flat else None,
        )  # fmt: skip
        below = Decimal(str(up_to or 0))
    return ledger.change_account(timezone=zone)


def event(ledger: Ledger, key: str, month: int = 11, day: int = 15, **columns: Any) -> Ledger:
    """1,000 calls at noon of a day of 2026, received five minutes later."""
    happened = columns.pop("happened_at", datetime(2026, month, day, 12, tzinfo=UTC))
    said: dict[str, Any] = {
        "event_id": f"id-{key}",
        "meter": "api_calls",
        "subject": "tenant-1",
        "subscription_number": "N-S1",
        "quantity": Decimal(1000),
        "happened_at": happened,
        "received_at": happened.replace(minute=5),
        "batch": "b1",
        "is_test": False,
    }
    return ledger.add("usage_events", "usage", key, **{**said, **columns})


def bill(ledger: Ledger, key: str, month: int, amount: object, quantity: object = USED, **columns: Any) -> Ledger:
    """An invoice of the first of the next month, made at six, for the calls of a month."""
    end = date(2026 + month // 12, month % 12 + 1, 1)
    line: dict[str, Any] = {
        "line_version_key": "SL9",
        "product_code": "API-CALL",
        "charge_type": "usage",
        "quantity": Decimal(str(quantity)),
        "unit_price": Decimal("0.004"),
        "amount": Decimal(str(amount)),
        "period_start": date(2026, month, 1),
        "period_end": end,
    }
    of_invoice = {name: columns.pop(name) for name in ("status", "posted_at", "day") if name in columns}
    return ledger.invoice(key, of_invoice.pop("day", end), {**line, **columns}, **of_invoice)


def in_order(ledger: Ledger | None = None, amount: object = 40, months: Sequence[int] = MONTHS) -> Ledger:
    """10,000 calls in each month, and their invoices U9, U10 and U11 with the lines U9-1, …"""
    ledger = ledger or metered()
    for month in months:
        event(ledger, f"E{month}", month, quantity=USED)
        bill(ledger, f"U{month}", month, amount)
    return ledger
