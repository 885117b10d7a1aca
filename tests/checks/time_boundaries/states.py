"""Books with exactly one state of something that is right but for its day."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from tests.checks.kit import Ledger, clean
from tests.checks.ledger import booked
from tests.checks.metering import event, in_order


def late_usage(ledger: Ledger | None = None, quantity: int = 5_000) -> Ledger:
    """Calls of October that arrived after its invoice was made, and are not on the next one either."""
    late = datetime(2026, 11, 3, tzinfo=UTC)
    return event(ledger or in_order(), "LATE", 10, 28, quantity=Decimal(quantity), received_at=late)


def november_from_the_eighth() -> Ledger:
    """November was billed from the eighth on, and nobody billed the week before."""
    return clean().change("invoice_lines", "INV11-1", period_start=date(2026, 11, 8), amount=Decimal("15333.33"))


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "invoice_period_gap_or_overlap": november_from_the_eighth,
    "usage_after_cutoff_unbilled": late_usage,
    "close_period_misposting": lambda: booked().change("ledger_entries", "D7", period_key="P6"),
}
