"""One sync cycle: every source is read into the books, owners are resolved, one snapshot is published.

1. a lock makes sure that one cycle runs at a time
2. per source and object: compare what the source says of its fields with what it said before; read pages, map
   them, write rows, then (and only then) keep the position
3. per object: turn what the source deleted into tombstones, then move the watermark to the source's clock
   as it stood before the walk; an object that fails keeps its watermark and says why
4. resolve which customer owns each row, and propose customers for records that no declared key joins
5. publish the version of every table and all readings as one snapshot

Killed anywhere, the next cycle goes on from the last kept position and ends in the same books.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from books.accounts import Matching, resolve
from books.errors import BooksError
from books.reading import Books
from books.snapshots import Snapshot
from books.store import Store
from connectors.errors import ConnectorError, LoginRefused, NotVisible, TransientError
from connectors.mapping import Mapping as SourceMapping
from gateway.crosswalk.publishing import Crosswalk
from gateway.sync import telemetry
from gateway.sync.ledger import Ledger
from gateway.sync.remapped import note_mappings
from gateway.sync.schemas import Schemas, described
from gateway.sync.scope import EVERYTHING, Scope
from gateway.sync.source import OpenSource, SourceReport
from gateway.sync.vanished import bury_deleted, census_due, take_census
from gateway.sync.walk import Progress, Walked, Walker, silent

log = logging.getLogger(__name__)

__all__ = ["CycleReport", "Progress", "SyncCycle"]

# A source that gave no answer for this many objects in a row is left alone until the next cycle.
PATIENCE = 2


@dataclass
class CycleReport:
    """What a cycle brought, per source, and the snapshot that it published."""

    sources: dict[str, SourceReport] = field(default_factory=dict)
    snapshot: Snapshot | None = None


class SyncCycle:
    """Reads sources into one store.

    `go_on` is called before every object, and raises where this cycle must not write any more. `own_records` writes
    the gateway's own records before a publication, beside the versions that are about to be published.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        schemas: Schemas,
        clock: Callable[[], datetime],
        progress: Progress = silent,
        *,
        crosswalk: Crosswalk,
        scope: Scope = EVERYTHING,
        go_on: Callable[[], None] = lambda: None,
        own_records: Callable[[Mapping[str, int]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._crosswalk = crosswalk
        self._ledger = ledger
        self._schemas = schemas
        self._clock = clock
        self._progress = progress
        self._scope = scope
        self._go_on = go_on
        self._own_records = own_records

    def read(self, source: OpenSource) -> SourceReport:
        """Read one source to its end. A failure is in the report and in the readings, never raised."""
        walker = Walker(source, self._store, self._ledger, self._clock, progress=self._progress)
        silences = 0
        for group in source.groups():
            names = self._scope.objects(source.mapping, group)
            if names:
                silences = self._read_group(walker, group, names, silences)
        return walker.report

    def publish(self, mappings: Mapping[str, SourceMapping], matching: Matching, books: Books) -> Snapshot:
        """Resolve owners and publish what the tables hold now."""
        ownership = _ownership(matching, books)
        with telemetry.tracer.start_as_current_span("sync.publish"):
            self._schemas.publish(self._store)
            note_mappings(self._store, self._ledger.mapping_hashes(), mappings, self._clock())
            self._crosswalk.write_decisions(self._store)
            before = self._ledger.latest(ownership)
            resolve(self._store, books, matching, before)
            self._crosswalk.propose(self._store, books, before.versions if before else {})
            self._own_records(self._store.versions())
            return self._ledger.publish(self._store.versions(), mappings, ownership, self._clock())

    def _read_group(self, walker: Walker, group: Sequence[str], names: Sequence[str], silences: int) -> int:
        """Read objects of a group that fills the same entities; returns how many in a row gave no answer by then."""
        walks: list[tuple[Walked, bool]] = []
        absent = walker.report.absent
        for name in names:
            self._go_on()
            if silences >= PATIENCE:
                self._fail(walker, [name], next(reversed(walker.report.failures.values())))
                continue
            try:
                walks += self._poll(walker, name, alone=len(group) == 1)
                silences = 0
            except NotVisible as error:
                silences = 0
                if walker.absent(name, described=bool(self._schemas.fields(walker.source.name, name))):
                    absent[name] = str(error)
                    log.info("%s does not have %s, which is optional. %s", walker.source.name, name, error)
                else:
                    self._fail(walker, [name], str(error))
            except (ConnectorError, BooksError) as error:
                self._fail(walker, [name], str(error))
                silences = _silences(error, silences)
        group = [name for name in group if name not in absent]
        try:
            counted = self._count(walker, group, walks)
        except (ConnectorError, BooksError) as error:
            self._fail(walker, [walked.name for walked, _ in walks], str(error))
            return silences
        for walked, _ in walks:
            self._finish(walker.source, walked, counted)
        return silences

    def _describe(self, source: OpenSource, name: str) -> None:
        """Keep what the source says of an object. Raises SchemaChanged where a mapped field vanished from it.

        Files are described by a sample, in which a field may be missing.
        """
        fields = described(source, name)
        if fields:
            self._schemas.note(source.name, name, fields, self._clock())
        if source.absence_counts:
            self._schemas.require(source.name, source.mapping.objects[name], fields)

    def _poll(self, walker: Walker, name: str, *, alone: bool) -> list[tuple[Walked, bool]]:
        """The walk, where it moves how far the object is known."""
        since = self._scope.since
        if since is None or walker.source.reads_in_full(walker.source.mapping.objects[name]):
            return [self._walk(walker, name, alone=alone)]
        self._describe(walker.source, name)
        bury_deleted(walker, walker.again(name, since))
        return []

    def _walk(self, walker: Walker, name: str, *, alone: bool) -> tuple[Walked, bool]:
        """One object's description, changes and listed deletions; whether those are all that there were."""
        before = walker.report.rejects, walker.report.deleted
        with telemetry.tracer.start_as_current_span(
            "sync.object", attributes={"system": walker.source.name, "object": name}
        ) as span:
            try:
                self._describe(walker.source, name)
                walked = walker.walk(name, full=self._scope.full, alone=alone)
                return walked, walked.whole or bury_deleted(walker, walked)
            finally:
                span.set_attribute("rows", walker.report.records.get(name, 0))
                span.set_attribute("rejects", walker.report.rejects - before[0])
                span.set_attribute("deleted", walker.report.deleted - before[1])

    def _count(self, walker: Walker, group: Sequence[str], walks: Sequence[tuple[Walked, bool]]) -> bool:
        """Compare all keys where that is due. Not while one of the objects is unread: its keys would be missing."""
        due = any(census_due(walker, walked, all_listed=listed) for walked, listed in walks)
        if not due or len(walks) < len(group):
            return False
        with telemetry.tracer.start_as_current_span(
            "sync.census", attributes={"system": walker.source.name, "object": ", ".join(group)}
        ):
            take_census(walker, [walked for walked, _ in walks], accept=self._scope.accept_deletions)
        return True

    def _finish(self, source: OpenSource, walked: Walked, counted: bool) -> None:
        now = self._clock()
        self._ledger.finish(
            source.name,
            walked.name,
            watermark=walked.started - source.lag,
            deletions_from=walked.started,
            census_at=now if counted or (walked.whole and walked.keys is None) else None,
            now=now,
        )

    def _fail(self, walker: Walker, names: Sequence[str], sentence: str) -> None:
        source = walker.source
        self._ledger.fail(source.name, names, source.mapping.hash, sentence, self._clock())
        for name in names:
            walker.report.failures[name] = sentence
            telemetry.failures.add(1, {"system": source.name, "object": name})
            log.warning("%s could not be read from %s: %s", name, source.name, sentence)


def _silences(error: ConnectorError | BooksError, before: int) -> int:
    """How many objects in a row were not answered for. A refused login is not tried for each: it may lock the user."""
    if isinstance(error, LoginRefused):
        return PATIENCE
    return before + 1 if isinstance(error, TransientError) else 0


def _ownership(matching: Matching, books: Books) -> str:
    """Changes with whatever decides who owns a row, apart from the rows themselves."""
    systems = [books.systems("accounts", role) for role in ("crm", "billing")]
    return hashlib.sha256(repr((sorted(matching.how.items()), systems)).encode()).hexdigest()
