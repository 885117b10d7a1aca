"""What the sync tells OpenTelemetry: a span per object and poll, counters, and how old each watermark is."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation

from books.snapshots import Snapshot

tracer = trace.get_tracer("tieout.sync")
_meter = metrics.get_meter("tieout.sync")
rows = _meter.create_counter("tieout.sync.rows", unit="{row}", description="Rows of the books that were written.")
rejects = _meter.create_counter("tieout.sync.rejects", unit="{record}", description="Records that could not be mapped.")
deleted = _meter.create_counter("tieout.sync.deleted", unit="{row}", description="Rows that became tombstones.")
outrun = _meter.create_counter(
    "tieout.sync.deletions_outrun", unit="{poll}", description="Polls after which not every deletion was listed."
)
failures = _meter.create_counter("tieout.sync.failures", unit="{poll}", description="Polls that did not end well.")


def watch(latest: Callable[[], Snapshot | None], clock: Callable[[], datetime]) -> None:
    """Report the age of every published watermark whenever metrics are collected. Once per process."""

    def ages(_: CallbackOptions) -> Iterable[Observation]:
        snapshot = latest()
        return list(_ages(snapshot, clock())) if snapshot else []

    _meter.create_observable_gauge(
        "tieout.sync.watermark_age", [ages], unit="s", description="How far behind the clock an entity is known."
    )


def _ages(snapshot: Snapshot, now: datetime) -> Iterator[Observation]:
    for (system, entity), reading in sorted(snapshot.readings.items()):
        if reading.watermark is not None:
            age = (now - reading.watermark).total_seconds()
            yield Observation(age, {"system": system, "entity": entity})
