"""Books with one hand-over each that stopped half-way."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean


def without_discount(**columns: Any) -> Ledger:
    """20 % off a list price of 50.00; billing has the list price, and a discount only on another line."""
    ledger = clean().change("contract_lines", "CL1", discount_rate=Decimal("0.2"), list_price=Decimal(50))
    ledger.change("subscription_lines", "SL1", **{"unit_price": Decimal(50), **columns})
    return ledger.subscription_line("SL7", line=None, product_code="OTHER", discount_rate=Decimal("0.1"), tax_code="T")


def one_version_behind() -> Ledger:
    """The contract is at its third version, and billing has applied two."""
    return clean().change("contracts", "K1", version=3).change("subscriptions", "S1", source_version=2)


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "field_dropped_in_handoff": without_discount,
    "stale_destination_version": one_version_behind,
}
