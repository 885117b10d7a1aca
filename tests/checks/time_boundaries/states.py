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


def begun_later(day: int = 8) -> Ledger:
    """The subscription line begins some days after the contract line, in December."""
    ledger = clean().change("contract_lines", "CL1", start_date=date(2026, 12, 1))
    return ledger.change("subscription_lines", "SL1", start_date=date(2026, 12, day))


def still_a_draft(month: int = 11) -> Ledger:
    return clean().change("invoices", f"INV{month}", status="draft")


BROKEN: Mapping[str, Callable[[], Ledger]] = {
    "effective_date_mismatch": begun_later,
    "invoice_period_gap_or_overlap": november_from_the_eighth,
    "recurring_bill_date_missed": still_a_draft,
    "usage_after_cutoff_unbilled": late_usage,
    "close_period_misposting": lambda: booked().change("ledger_entries", "D7", period_key="P6"),
}
