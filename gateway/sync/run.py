"""Run one sync cycle of an installation: open its sources, read them, publish. Safe to run at any time, twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import text

from connectors.errors import ConnectorError
from gateway.db.session import Database
from gateway.errors import Unavailable
from gateway.installation import Installation
from gateway.sync.cycle import CycleReport, OpenSource, Progress, SourceReport, SyncCycle, silent

# Any number that nothing else in Tieout locks: one cycle at a time over all processes.
SYNC_LOCK = 4_701_002


def sync_now(
    installed: Installation, *, names: Sequence[str] | None = None, full: bool = False, progress: Progress = silent
) -> CycleReport:
    """Read the named sources (all of them by default) and publish. Raises Unavailable while another cycle runs."""
    chosen = [name for name in installed.config.sources if not names or name in names]
    for name in names or ():
        installed.source(name)
    report = CycleReport()
    with _alone(installed.database):
        cycle = SyncCycle(installed.store, installed.ledger, installed.clock, progress)
        for name in chosen:
            report.sources[name] = _read(installed, cycle, name, full=full)
        mappings = {name: mapping.hash for name, mapping in installed.mappings.items()}
        report.snapshot = cycle.publish(mappings, installed.matching, installed.books, installed.config.sources)
    return report


def _read(installed: Installation, cycle: SyncCycle, name: str, *, full: bool) -> SourceReport:
    try:
        connector = installed.connector(name)
    except ConnectorError as error:
        entities = sorted(installed.mappings[name].entities)
        installed.ledger.failed(name, entities, str(error), installed.clock())
        return SourceReport(failure=str(error))
    lag = timedelta(minutes=installed.source(name).commit_lag_minutes)
    try:
        return cycle.read(OpenSource(name, installed.mappings[name], connector, lag), full=full)
    finally:
        connector.close()


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    with database.engine.connect() as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": SYNC_LOCK}).scalar_one():
            raise Unavailable("Another sync is running. Wait for it, or look at `tieout serve`'s log.")
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": SYNC_LOCK})
            connection.commit()
