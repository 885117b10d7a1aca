"""Books with exactly one state of something that is there once too often."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from tests.checks.kit import Ledger
from tests.checks.metering import bill, in_order


def counted_from_the_beginning() -> Ledger:
    """November was billed up to the 15th on its own, and at its end once more from the first day on."""
    ledger = in_order()
    return bill(
        ledger, "MID", 11, 24, 6_000, day=date(2026, 11, 16), period_end=date(2026, 11, 16), unit_price=Decimal("0.004")
    )


BROKEN: Mapping[str, Callable[[], Ledger]] = {"usage_billed_twice": counted_from_the_beginning}
