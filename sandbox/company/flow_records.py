"""What an integration platform knows: its flows, their runs, and the entries of its error queue."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Flow:
    """One flow. `by_weekday` is about how many records it moves on Monday, Tuesday, …; `each` what one is worth.

    `counts`: the source is asked for its own count. A flow that does not know what its records are worth keeps none.
    """

    name: str
    source: str
    target: str
    object: str
    by_weekday: tuple[int, ...]
    each: Decimal | None = None
    currency: str | None = None
    counts: bool = True
    hour: int = 3


@dataclass(frozen=True)
class FlowRun:
    """One run as the platform reports it."""

    run_id: str
    flow: Flow
    started_at: datetime
    finished_at: datetime
    status: str
    written: int
    rejected: int = 0
    source_count: int | None = None
    amount: Decimal | None = None
    trace_key: str | None = None


@dataclass(frozen=True)
class FlowError:
    """An entry of the error queue; `customer` is the CRM's id."""

    error_id: str
    flow: Flow
    trace_key: str | None
    record_key: str
    code: str
    message: str
    status: str
    first_seen_at: datetime
    last_seen_at: datetime
    customer: str | None = None
    owner: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    resolved_at: datetime | None = None
