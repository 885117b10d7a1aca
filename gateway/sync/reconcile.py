"""Compare the books with a source, key by key and if asked value by value, and repair what differs.

Repairs are written by the walk's own code and published as one snapshot. No position and no watermark moves: what a
poll would bring stays to be brought by a poll.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from books.errors import BooksError
from books.snapshots import Snapshot
from connectors.contract import Page, Record
from connectors.errors import ConnectorError, LoginRefused, NotVisible, PermanentError, SchemaChanged, TransientError
from connectors.tables import booked
from gateway.installation import Installation
from gateway.sync.comparison import Comparison, Listed, list_keys
from gateway.sync.readings import entities_of
from gateway.sync.run import open_source, opened_cycle, sync_lock
from gateway.sync.schemas import Schemas, described
from gateway.sync.scope import Scope, validate
from gateway.sync.source import OpenSource
from gateway.sync.vanished import vanished
from gateway.sync.walk import Progress, Walker, batches, silent


@dataclass(frozen=True)
class Depth:
    """`values` compares every record's columns, `sample` those of so many; `dry_run` writes nothing."""

    values: bool = False
    sample: int = 0
    dry_run: bool = False


KEYS_ONLY = Depth()


@dataclass
class Reconciled:
    """What was compared, per source, and the snapshot that was published where something was repaired."""

    sources: dict[str, list[Comparison]] = field(default_factory=dict)
    snapshot: Snapshot | None = None

    @property
    def differs(self) -> bool:
        return any(found.differs for compared in self.sources.values() for found in compared)


def reconcile(
    installed: Installation,
    depth: Depth = KEYS_ONLY,
    *,
    names: Sequence[str] | None = None,
    entities: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Reconciled:
    """Compare the named sources and entities (all by default), repair, publish.

    Raises Unavailable while a sync runs, ConfigError for what is not there. What a source does is in the report.
    """
    scope = Scope(entities=frozenset(entities or ()))
    validate(installed, names or (), scope)
    done = Reconciled()
    with sync_lock(installed.database) as go_on:
        for name in names or installed.config.sources:
            wanted = scope.objects(installed.mappings[name], installed.mappings[name].walked)
            done.sources[name] = _source(installed, name, wanted, depth, progress, go_on)
        go_on()
        # A repair that broke off has written as well, and so has a sync that was killed before it published: what they
        # wrote is whole records, and the comparison above was with these.
        if not depth.dry_run and installed.store.versions() != _published(installed):
            cycle = opened_cycle(installed, progress, scope, go_on)
            done.snapshot = cycle.publish(installed.mappings, installed.matching, installed.books)
    return done


def _published(installed: Installation) -> Mapping[str, int]:
    """The versions of the tables that readers see."""
    latest = installed.ledger.latest()
    return latest.versions if latest else {}


def _source(
    installed: Installation,
    name: str,
    wanted: Sequence[str],
    depth: Depth,
    progress: Progress,
    go_on: Callable[[], None],
) -> list[Comparison]:
    try:
        source = open_source(installed, name)
    except ConnectorError as error:
        return [Comparison(of, trouble=str(error)) for of in wanted]
    try:
        if not source.absence_counts:
            why = "Files bring news and never say what is gone, so that there is nothing to compare the books with."
            return [Comparison(of, trouble=why, comparable=False) for of in wanted]
        walker = Walker(source, installed.store, installed.ledger, installed.clock, progress=progress)
        return Reconciliation(walker, Schemas(installed.database), depth, go_on).run(wanted)
    finally:
        source.connector.close()


class Reconciliation:
    """The comparison of one source's objects."""

    def __init__(self, walker: Walker, schemas: Schemas, depth: Depth, go_on: Callable[[], None]) -> None:
        self._walker = walker
        self._schemas = schemas
        self._depth = depth
        self._go_on = go_on
        self._listed: dict[str, Listed] = {}

    @property
    def _source(self) -> OpenSource:
        return self._walker.source

    def run(self, names: Sequence[str]) -> list[Comparison]:
        """Keys first, object by object; then what the source does not show any more, entity by entity."""
        found = {name: Comparison(name) for name in names}
        unanswered: str | None = None
        for name in names:
            if unanswered is not None:
                found[name].trouble = unanswered
                continue
            unanswered = self._guarded(found[name], self._object)
        for entity in dict.fromkeys(e for name in names for e in entities_of(self._source.mapping, name)):
            self._bury(entity, found)
        return list(found.values())

    def _guarded(self, found: Comparison, step: Callable[[Comparison], None]) -> str | None:
        """Run a step; the sentence, where nothing more is to be asked of this source."""
        self._go_on()
        try:
            step(found)
        except (ConnectorError, BooksError) as error:
            found.trouble = str(error)
            if isinstance(error, NotVisible) and self._never_was(found.object):
                found.trouble = f"It is optional, and {self._source.name} does not have it."
                found.comparable = False
            return found.trouble if isinstance(error, TransientError | LoginRefused) else None
        return None

    def _never_was(self, name: str) -> bool:
        """Whether an optional object left no rows: what was read once, and is not shown any more, is a loss."""
        mapping, store = self._source.mapping, self._walker.store
        held = (len(store.live(entity, self._source.name)) for entity in entities_of(mapping, name))
        return mapping.objects[name].optional and not any(held)

    def _object(self, found: Comparison) -> None:
        """Raises SchemaChanged where a mapped field is hidden: repairs would write that it is empty."""
        mapped = self._source.mapping.objects[found.object]
        self._schemas.require(self._source.name, mapped, described(self._source, found.object))
        listed = list_keys(self._walker, found.object)
        found.counted, found.listed = listed.counted, listed.records
        refused = pa.array(sorted(self._walker.ledger.reject_keys(self._source.name, found.object)), pa.string())
        missing: list[pa.Table] = []
        for entity, pairs in listed.rows.items():
            is_refused = pc.is_in(pairs["key"], value_set=refused)
            live = pc.is_in(pairs["key"], value_set=self._walker.store.live(entity, self._source.name))
            found.books += int(pc.sum(live).as_py() or 0)
            found.rejected += int(pc.sum(pc.and_(is_refused, pc.invert(live))).as_py() or 0)
            missing.append(pairs.filter(pc.invert(pc.or_(live, is_refused))))
            found.missing += missing[-1].num_rows
        found.expected = sum(pairs.num_rows for pairs in listed.rows.values()) - found.rejected
        if not listed.is_whole:
            found.trouble = _lost(self._source.name, found)
        else:
            self._listed[found.object] = listed
        if found.missing and not self._depth.dry_run:
            self._restore(found, dict(zip(listed.rows, missing, strict=True)))
        self._compare_values(found, listed)

    def _restore(self, found: Comparison, missing: dict[str, pa.Table]) -> None:
        """Bring what is missing: by its keys, else by reading the object once more."""
        records = {record for pairs in missing.values() for record in pairs["record"].to_pylist() if record}
        try:
            for page in self._fetched(found.object, sorted(records)):
                self._walker.take(found.object, page)
        except (SchemaChanged, LoginRefused):
            raise
        except PermanentError:
            self._walker.again(found.object, None)
        for entity, pairs in missing.items():
            live = self._walker.store.live(entity, self._source.name, pairs["key"].combine_chunks())
            found.repaired += len(live)

    def _fetched(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        """Records by their keys, as many at once as a write takes."""
        size = self._source.batch_records
        pages = (
            Page(records, None)
            for start in range(0, len(keys), size)
            for records in self._source.connector.fetch(name, keys[start : start + size])
        )
        return (page.records for page in batches(pages, size))

    def _compare_values(self, found: Comparison, listed: Listed) -> None:
        for records in self._asked_for(found.object, listed):
            before = found.changed
            self._compare(found, records)
            if found.changed > before and not self._depth.dry_run:
                self._walker.take(found.object, records)
                found.repaired += found.changed - before

    def _asked_for(self, name: str, listed: Listed) -> Iterable[Sequence[Record]]:
        """The records whose values are compared: all, a sample, or none."""
        if self._depth.values:
            pages = self._source.connector.changes(name, None)
            return (page.records for page in batches(pages, self._source.batch_records))
        # In Arrow, for these are all the keys of the object.
        every = [chunk for pairs in listed.rows.values() for chunk in pairs["record"].chunks]
        keys = pc.unique(pa.chunked_array(every, pa.string())).drop_null()
        chosen = random.SystemRandom().sample(range(len(keys)), min(self._depth.sample, len(keys)))
        return self._fetched(name, sorted(keys.take(pa.array(chosen, pa.int64())).to_pylist())) if chosen else ()

    def _compare(self, found: Comparison, records: Sequence[Record]) -> None:
        mapped, system = self._source.mapping.objects[found.object], self._source.name
        found.compared += len(records)
        for target, rows in booked(mapped, records, system, self._walker.clock()).tables:
            differences = self._walker.store.differences(target.entity.name, system, rows)
            found.changed += differences.pop("", 0)
            for column, count in differences.items():
                place = f"{target.entity.name}.{column}"
                found.fields[place] = found.fields.get(place, 0) + count

    def _bury(self, entity: str, found: dict[str, Comparison]) -> None:
        """Only where every object that fills the entity was listed whole: its keys would else seem to be gone."""
        mapping = self._source.mapping
        fillers = [name for name in mapping.walked if entity in entities_of(mapping, name)]
        if not all(name in self._listed for name in fillers):
            return
        first = found[fillers[0]]
        there = pa.chunked_array([c for n in fillers for c in self._listed[n].rows[entity]["key"].chunks], pa.string())
        gone = vanished(self._walker, entity, there, accept=True)
        first.surplus += len(gone)
        first.books += len(gone)
        if len(gone) and not self._depth.dry_run:
            self._guarded(first, lambda one: self._bury_rows(one, entity, there))

    def _bury_rows(self, found: Comparison, entity: str, there: pa.ChunkedArray) -> None:
        gone = vanished(self._walker, entity, there, accept=False)
        self._walker.bury(entity, gone.to_pylist())
        found.repaired += len(gone)


def _lost(system: str, found: Comparison) -> str:
    which = "fewer" if (found.listed or 0) < (found.counted or 0) else "more"
    return (
        f"{system} counts {found.counted:,} {found.object} and shows {found.listed:,}, which is {which}: pages lose or "
        "repeat records, or the count sees what the integration user does not. Nothing was buried."
    )
