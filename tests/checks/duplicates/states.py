"""Books with exactly one state of something that is there once too often."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.checks.kit import Ledger, clean
from tests.checks.metering import bill, in_order


def counted_from_the_beginning() -> Ledger:
    """November was billed up to the 15th on its own, and at its end once more from the first day on."""
    ledger = in_order()
    return bill(
        ledger, "MID", 11, 24, 6_000, day=date(2026, 11, 16), period_end=date(2026, 11, 16), unit_price=Decimal("0.004")
    )


def subscribed_twice(**columns: Any) -> Ledger:
    """The clean customer and a second subscription for 200 of the same seats, from the middle of September."""
    ledger = clean().subscription("S2", None)
    said: dict[str, Any] = {"quantity": Decimal(200), "start_date": date(2026, 9, 15)}
    return ledger.subscription_line("SL2", "S2", None, **{**said, **columns})


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "duplicate_subscription": subscribed_twice,
    "usage_billed_twice": counted_from_the_beginning,
}
