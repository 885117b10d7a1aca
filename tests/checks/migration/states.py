"""Books of a customer who was carried over from an old billing system, and what each check must find in them."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean

LAST_DAY = date(2026, 3, 31)


def carried(**columns: Any) -> Ledger:
    """The clean customer as the old system had it on its last day; `columns` are the old line's."""
    ledger = clean()
    ledger.add(
        "legacy_subscriptions", "legacy", "LS1", status="active", start_date=date(2026, 1, 1),
        end_date=date(2027, 1, 1), currency="USD", successor_key="S1", snapshot_date=LAST_DAY,
    )  # fmt: skip
    return old_line(ledger, **columns)


def old_line(ledger: Ledger, key: str = "LL1", **columns: Any) -> Ledger:
    said: dict[str, Any] = {
        "subscription_key": "LS1",
        "product_code": "SEAT",
        "charge_type": "recurring",
        "quantity": Decimal(500),
        "unit_price": Decimal(40),
        "price_months": 1,
        "currency": "USD",
        "successor_key": "SL1",
        "snapshot_date": LAST_DAY,
    }
    return ledger.add("legacy_subscription_lines", "legacy", key, **{**said, **columns})


def lost_line() -> Ledger:
    return old_line(carried(), "LL2", product_code="SUPPORT", quantity=Decimal(1), successor_key="SL9")


def kept(**columns: Any) -> Ledger:
    """The old price of 40 is kept without an end, the card says 50; the contract has no end either."""
    ledger = carried(grandfathered=True, **columns)
    ledger.change("contracts", "K1", end_date=None).change("contract_lines", "CL1", end_date=None)
    said = {"product_code": "SEAT", "unit_price": Decimal(50), "price_months": 1, "currency": "USD"}
    return ledger.add("prices", "crm", "P1", **said)


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "migration_carryover_defect": lost_line,
    "legacy_price_without_expiry": kept,
}
