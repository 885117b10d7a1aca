"""The walk through one object: pages become rows, and only after the rows the position is kept.

A page whose rows are written and whose position is not is read again by the next walk, and changes nothing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa

from books.store import Store
from connectors.contract import Page, Position, Record
from connectors.errors import ConnectorError, CursorLost
from connectors.mapping import FILE, LINE, ObjectMapping, Reject
from connectors.tables import booked
from gateway.sync import telemetry
from gateway.sync.ledger import Ledger, Standing
from gateway.sync.readings import entities_of
from gateway.sync.source import OpenSource, SourceReport

log = logging.getLogger(__name__)

Progress = Callable[[str, str, int], None]


def silent(_source: str, _object: str, _records: int) -> None:
    """Progress that nobody watches."""


class Keys:
    """Keys by entity. As Arrow, because a million of them are some 20 MB so and 100 MB as a set."""

    def __init__(self) -> None:
        self._chunks: dict[str, list[pa.Array]] = {}

    def add(self, entity: str, keys: pa.Array) -> None:
        self._chunks.setdefault(entity, []).append(keys)

    def of(self, entity: str) -> list[pa.Array]:
        return self._chunks.get(entity, [])

    def all(self) -> Iterator[str]:
        """Every key, of whatever entity."""
        return (key for chunks in self._chunks.values() for chunk in chunks for key in chunk.to_pylist())


@dataclass
class Walked:
    """A walk that came to its end.

    `whole`: it saw every record. `keys`: those that the source holds, where the walk saw all and the books may hold
    more. `started` is the source's clock before the first page. `keeps`: its positions are where the next walk goes on.
    """

    name: str
    mapped: ObjectMapping
    started: datetime
    standing: Standing
    whole: bool
    keys: Keys | None = None
    keeps: bool = True


@dataclass
class Walker:
    """Reads objects of one source into the store."""

    source: OpenSource
    store: Store
    ledger: Ledger
    clock: Callable[[], datetime]
    report: SourceReport = field(default_factory=SourceReport)
    progress: Progress = silent

    def walk(self, name: str, *, full: bool, alone: bool) -> Walked:
        """Read what changed, or everything. `alone`: no other object fills the same entities. Raises ConnectorError."""
        source = self.source
        mapped = source.mapping.objects[name]
        started = source.connector.source_time()
        standing = self.ledger.begin(source.name, name, source.mapping.hash, started, self.clock())
        since = None if full or source.reads_in_full(mapped) else standing.position
        walked = Walked(name, mapped, started, standing, since is None and source.absence_counts)
        if since is None:
            self.ledger.clear_rejects(source.name, name)
        if walked.whole and not (alone and self._holds_none(entities_of(source.mapping, name))):
            walked.keys = Keys()
        self._read(walked, since)
        return walked

    def again(self, name: str, since: datetime | None) -> Walked:
        """Read what changed since then, or all, once more, and keep no position: no walk begins elsewhere for it."""
        source, started = self.source, self.source.connector.source_time()
        standing = self.ledger.begin(source.name, name, source.mapping.hash, started, self.clock())
        standing = replace(standing, deletions_from=since or standing.deletions_from)
        walked = Walked(name, source.mapping.objects[name], started, standing, whole=False, keeps=False)
        try:
            self._store(walked, source.connector.changes(name, Position(since) if since else None))
        except CursorLost as lost:
            log.warning("%s does not go back so far in %s, which is read whole. %s", source.name, name, lost)
            self._store(walked, source.connector.changes(name, None))
        return walked

    def take(self, name: str, records: Sequence[Record]) -> None:
        """Write records that were asked for by their keys. No position moves: others may lie between."""
        now = self.clock()
        self.report.records.setdefault(name, 0)
        apart = Walked(name, self.source.mapping.objects[name], now, Standing(None, now, None), whole=False)
        self._note(apart, Page(records, None), self._write(apart, records))

    def absent(self, name: str, *, described: bool) -> bool:
        """Whether an object that is not visible never was: it is optional, was never read, and left no rows.

        Rows of an entity that others fill as well may be theirs. Then an object was there if it ever was `described`.
        """
        mapping = self.source.mapping
        others = {e for other in mapping.walked if other != name for e in entities_of(mapping, other)}
        entities = entities_of(mapping, name)
        if not mapping.objects[name].optional or (described and not others.isdisjoint(entities)):
            return False
        own = [entity for entity in entities if entity not in others]
        return self._holds_none(own) and self.ledger.forget_unread(self.source.name, name)

    def _holds_none(self, entities: Iterable[str]) -> bool:
        """Nothing of these in the books can have vanished from the source: they hold nothing of it."""
        return not any(len(self.store.live(entity, self.source.name)) for entity in entities)

    def _read(self, walked: Walked, since: Position | None) -> None:
        """Read all pages; where the source lost the cursor, once more from the position that was kept last.

        Where the walk kept none, the one that it began with is what was lost, and everything is read.
        """
        connector, name = self.source.connector, walked.name
        try:
            self._store(walked, connector.changes(name, since))
        except CursorLost as lost:
            log.warning("%s forgot its place in %s, which is read again. %s", self.source.name, name, lost)
            if walked.keys is not None:
                walked.keys = Keys()
            kept = self._kept(walked) if since else None
            again = None if kept == since else kept
            self._store(walked, connector.changes(name, again))

    def _kept(self, walked: Walked) -> Position | None:
        source = self.source
        return self.ledger.begin(source.name, walked.name, source.mapping.hash, walked.started, self.clock()).position

    def _store(self, walked: Walked, pages: Iterator[Page]) -> None:
        self.report.records.setdefault(walked.name, 0)
        for page in batches(pages, self.source.batch_records):
            self._note(walked, page, self._write(walked, page.records))

    def _write(self, walked: Walked, records: Sequence[Record]) -> Sequence[Reject]:
        """The rows of the records, and tombstones for what is no longer of an entity's kind. Returns the rejects."""
        system, now = self.source.name, self.clock()
        made = booked(walked.mapped, records, system, now)
        for target, rows in made.tables:
            entity = target.entity.name
            changed = self.store.merge(entity, system, rows)
            self.report.rows[entity] = self.report.rows.get(entity, 0) + changed
            telemetry.rows.add(changed, {"system": system, "entity": entity})
            if walked.keys is not None:
                walked.keys.add(entity, rows["key"].combine_chunks())
        if walked.keys is not None:
            refused = pa.array([reject.key for reject in made.rejects], pa.string())
            for entity in entities_of(self.source.mapping, walked.name):
                walked.keys.add(entity, refused)
        elif not walked.whole:
            for entity, keys in no_longer(walked.mapped, records):
                self.bury(entity, keys)
        return made.rejects

    def _note(self, walked: Walked, page: Page, rejects: Sequence[Reject]) -> None:
        """The position, after the rows."""
        system, name, report = self.source.name, walked.name, self.report
        position = page.position if walked.keeps else None
        self.ledger.store_page(system, name, position, rejects, _marks(walked.mapped, page.records), self.clock())
        report.records[name] = report.records.get(name, 0) + len(page.records)
        report.rejects += len(rejects)
        telemetry.rejects.add(len(rejects), {"system": system, "object": name})
        self.progress(system, name, report.records[name])

    def bury(self, entity: str, keys: Iterable[str]) -> None:
        """Turn rows of this source into tombstones."""
        count = self.store.bury(entity, self.source.name, keys, self.clock())
        self.report.deleted += count
        telemetry.deleted.add(count, {"system": self.source.name, "entity": entity})


def batches(pages: Iterator[Page], records: int) -> Iterator[Page]:
    """Join small pages, so that one write takes many rows. The position is the last of the joined pages that had one.

    A batch holds fewer than `records` and one page more, whether its pages have positions or not. Where the source
    fails, what came before is passed on first: the next walk goes on behind it.
    """
    held: list[Record] = []
    position: Position | None = None
    failure: ConnectorError | None = None
    try:
        for page in pages:
            held.extend(page.records)
            position = page.position or position
            if len(held) >= records:
                yield Page(held, position)
                held, position = [], None
    except ConnectorError as error:
        failure = error
    if held or position is not None:
        yield Page(held, position)
    if failure is not None:
        raise failure


def no_longer(mapped: ObjectMapping, records: Iterable[Record]) -> Iterator[tuple[str, list[str]]]:
    """Per entity the keys of records that no target of the entity takes any more.

    Only where the row's key is the record's own: another record may hold a key that several share, and a census
    finds out which.
    """
    for entity in dict.fromkeys(target.entity.name for target in mapped.targets):
        targets = [target for target in mapped.targets if target.entity.name == entity]
        if all(target.where and target.key == mapped.key for target in targets):
            taken = {targets[0].key_of(r): any(target.takes(r) for target in targets) for r in records}
            yield entity, [key for key, is_taken in taken.items() if key and not is_taken]


def _marks(mapped: ObjectMapping, records: Iterable[Record]) -> Iterator[str]:
    """By what rejects of these records may be listed: their keys, and their places in a file."""
    for record in records:
        yield from (key for target in mapped.targets if (key := target.key_of(record)))
        if FILE in record:
            yield f"{record[FILE]}:{record[LINE]}"
