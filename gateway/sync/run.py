"""Run one sync cycle of an installation: open its sources, read them, publish. Safe to run at any time, twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from connectors.errors import ConnectorError
from gateway.crosswalk.publishing import Crosswalk
from gateway.db.lock import advisory_lock
from gateway.db.session import Database
from gateway.errors import Unavailable
from gateway.installation import Installation
from gateway.own_records.bands import put_bands
from gateway.own_records.publishing import write
from gateway.sync.cycle import CycleReport, SyncCycle
from gateway.sync.lock import SYNC_LOCK
from gateway.sync.schemas import Schemas
from gateway.sync.scope import EVERYTHING, Scope, validate
from gateway.sync.source import OpenSource, SourceReport
from gateway.sync.walk import Progress, silent


def sync_now(
    installed: Installation,
    *,
    names: Sequence[str] | None = None,
    full: bool = False,
    since: datetime | None = None,
    entities: Sequence[str] | None = None,
    accept_deletions: bool = False,
    progress: Progress = silent,
) -> CycleReport:
    """Read the named sources and entities (all of them by default) and publish.

    Raises Unavailable while another cycle runs, and where the database lost this one's lock on the way; ConfigError
    and Refused before anything is read, for what cannot be asked.
    """
    scope = Scope(full, since, frozenset(entities or ()), accept_deletions)
    validate(installed, names or (), scope)
    report = CycleReport()
    with sync_lock(installed.database) as go_on:
        cycle = opened_cycle(installed, progress, scope, go_on)
        for name in installed.config.sources:
            wanted = scope.objects(installed.mappings[name], installed.mappings[name].walked)
            if wanted and (not names or name in names):
                report.sources[name] = _read(installed, cycle, name, wanted)
        go_on()
        report.snapshot = cycle.publish(installed.mappings, installed.matching, installed.books)
    return report


@contextmanager
def sync_lock(database: Database) -> Iterator[Callable[[], None]]:
    """The right to write the books, for one at a time. Gives what raises Unavailable once it is lost.

    Raises Unavailable at once where somebody else has it.
    """
    with advisory_lock(database, SYNC_LOCK) as lock:
        if lock is None:
            raise Unavailable("Another sync is running. Wait until it has ended.")

        def go_on() -> None:
            if not lock.still():
                raise Unavailable(
                    "The database let go of this sync, so that another may have begun: nothing was published."
                )

        yield go_on


def opened_cycle(
    installed: Installation,
    progress: Progress = silent,
    scope: Scope = EVERYTHING,
    go_on: Callable[[], None] = lambda: None,
) -> SyncCycle:
    """A cycle over the books of an installation, for whoever holds the lock."""
    schemas = Schemas(installed.database)
    crosswalk = Crosswalk(installed.database, installed.clock, installed.config.crosswalk.propose_from)
    return SyncCycle(
        installed.store,
        installed.ledger,
        schemas,
        installed.clock,
        progress,
        crosswalk=crosswalk,
        scope=scope,
        go_on=go_on,
        own_records=lambda versions: _write_own(installed, versions),
    )


def _write_own(installed: Installation, versions: Mapping[str, int]) -> None:
    now = installed.clock()
    write(installed, versions, now)
    put_bands(installed, versions, now)


def _read(installed: Installation, cycle: SyncCycle, name: str, wanted: Sequence[str]) -> SourceReport:
    try:
        source = open_source(installed, name)
    except ConnectorError as error:
        mapping = installed.mappings[name]
        installed.ledger.fail(name, wanted, mapping.hash, str(error), installed.clock())
        return SourceReport(failures=dict.fromkeys(wanted, str(error)))
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
