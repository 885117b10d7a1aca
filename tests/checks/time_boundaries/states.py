"""Books with exactly one state of something that is right but for its day."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from tests.checks.kit import Ledger
from tests.checks.metering import event, in_order


def late_usage(ledger: Ledger | None = None, quantity: int = 5_000) -> Ledger:
    """Calls of October that arrived after its invoice was made, and are not on the next one either."""
    late = datetime(2026, 11, 3, tzinfo=UTC)
    return event(ledger or in_order(), "LATE", 10, 28, quantity=Decimal(quantity), received_at=late)


BROKEN: Mapping[str, Callable[[], Ledger]] = {"usage_after_cutoff_unbilled": late_usage}
