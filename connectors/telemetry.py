"""What the connectors tell OpenTelemetry: a span per page, and counters of requests, rows and retries.

Only the API is used: without an SDK set up by the process, nothing is recorded and nothing is slower.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from opentelemetry import metrics, trace

_tracer = trace.get_tracer("tieout.connectors")
_meter = metrics.get_meter("tieout.connectors")
_requests = _meter.create_counter("connector.requests", unit="{request}", description="Requests sent to a source.")
_rows = _meter.create_counter("connector.rows", unit="{row}", description="Records that a source handed over.")
_retries = _meter.create_counter("connector.retries", unit="{retry}", description="Requests that were repeated.")
_refused = _meter.create_counter(
    "connector.refused", unit="{request}", description="Requests that a source refused because of its limits."
)

R = TypeVar("R")


def page(system: str, name: str, read: Callable[[], Sequence[R]]) -> Sequence[R]:
    """Read one page of an object inside a span `connector.page` and count its rows."""
    with _tracer.start_as_current_span("connector.page", attributes={"system": system, "object": name}) as span:
        records = read()
        span.set_attribute("rows", len(records))
    _rows.add(len(records), {"system": system, "object": name})
    return records


def request(system: str, status: int | None) -> None:
    """Count a request; `status` is None where no answer came."""
    _requests.add(1, {"system": system, "status": "none" if status is None else str(status)})


def retry(system: str) -> None:
    _retries.add(1, {"system": system})


def refused(system: str) -> None:
    """Count a request that the source refused because it gets too many, at once or in a time."""
    _refused.add(1, {"system": system})
