"""Run one sync cycle of an installation: open its sources, read them, publish. Safe to run at any time, twice."""

from collections.abc import Sequence
from datetime import timedelta

from connectors.errors import ConnectorError
from gateway.db.lock import advisory_lock
from gateway.errors import Unavailable
from gateway.installation import Installation
from gateway.sync.cycle import CycleReport, SyncCycle
from gateway.sync.source import OpenSource, SourceReport
from gateway.sync.walk import Progress, silent

# Any number that nothing else in Tieout locks: one cycle at a time over all processes.
SYNC_LOCK = 4_701_002


def sync_now(
    installed: Installation,
    *,
    names: Sequence[str] | None = None,
    full: bool = False,
    accept_deletions: bool = False,
    progress: Progress = silent,
) -> CycleReport:
    """Read the named sources (all of them by default) and publish.

    Raises Unavailable while another cycle runs, and where the database lost this one's lock on the way.
    """
    for name in names or ():
        installed.source(name)
    report = CycleReport()
    with advisory_lock(installed.database, SYNC_LOCK) as lock:
        if lock is None:
            raise Unavailable("Another sync is running. Wait until it has ended.")
        cycle = SyncCycle(
            installed.store,
            installed.ledger,
            installed.clock,
            progress,
            full=full,
            accept_deletions=accept_deletions,
        )
        for name in installed.config.sources:
            if not names or name in names:
                report.sources[name] = _read(installed, cycle, name)
        if not lock.still():
            raise Unavailable(
                "The database let go of this sync, so that another may have begun: nothing was published."
            )
        report.snapshot = cycle.publish(installed.mappings, installed.matching, installed.books)
    return report


def _read(installed: Installation, cycle: SyncCycle, name: str) -> SourceReport:
    mapping = installed.mappings[name]
    try:
        source = open_source(installed, name)
    except ConnectorError as error:
        installed.ledger.fail(name, mapping.walked, mapping.hash, str(error), installed.clock())
        return SourceReport(failures=dict.fromkeys(mapping.walked, str(error)))
    try:
        return cycle.read(source)
    finally:
        source.connector.close()


def open_source(installed: Installation, name: str) -> OpenSource:
    """The source as tieout.yaml sets it up; its connector is the caller's to close. Raises PermanentError."""
    said = installed.source(name)
    return OpenSource(
        name,
        installed.mappings[name],
        installed.connector(name),
        lag=timedelta(minutes=said.commit_lag_minutes),
        census_every=timedelta(hours=said.census_hours),
        batch_records=said.batch_records,
    )
