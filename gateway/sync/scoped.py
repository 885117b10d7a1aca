"""Reads single records that somebody named into the books, apart from the walk.

Rows are written by the same code as a walk writes them. No position, watermark or census moves: what lies between
has not been read, so nothing may be concluded from it. A record that the source does not know any more is buried.

What belongs to a record is read with it, or the books would hold an invoice of today with the lines of yesterday.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import pyarrow as pa

from books.store import Store
from connectors.contract import Record
from connectors.fields import joined
from connectors.mapping import ObjectMapping
from gateway.sync import family
from gateway.sync.ledger import Ledger
from gateway.sync.readings import entities_of
from gateway.sync.schemas import Schemas
from gateway.sync.source import OpenSource, SourceReport
from gateway.sync.walk import Walker


class ScopedPoll:
    """Records of one source by their keys. The caller holds the sync's lock, and publishes."""

    def __init__(
        self, source: OpenSource, store: Store, ledger: Ledger, schemas: Schemas, clock: Callable[[], datetime]
    ) -> None:
        self.source = source
        self._schemas = schemas
        self._store = store
        self._walker = Walker(source, store, ledger, clock)
        self._found: dict[tuple[str, str], Record | None] = {}
        self.touched: set[tuple[str, str]] = set()
        """The (system, entity) of which records were asked for."""
        self.partial: set[tuple[str, str]] = set()
        """The (system, entity) of which a new parent came, so that rows may be missing until the next poll."""

    @property
    def report(self) -> SourceReport:
        return self._walker.report

    def read(self, name: str, keys: Sequence[str]) -> None:
        """Read these records of an object, and those that belong to them. Raises ConnectorError."""
        mapping = self.source.mapping
        before = {entity: self._live(entity, keys) for entity in entities_of(mapping, name)}
        records = self._ask(name, keys)
        for other, found in family.related(mapping, name, records):
            self._ask(other, found)
        came = {key for record in records if (key := joined(mapping.objects[name].key)(record))}
        for child, other in family.children(mapping, name):
            self._ask(other, family.kept_children(self._store, self.source.name, child, {*keys, *came}))
            if came - before[family.parent_of(child)]:
                self.partial.add((self.source.name, child.name))

    def _live(self, entity: str, keys: Sequence[str]) -> set[str]:
        return set(self._store.live(entity, self.source.name, pa.array(sorted(set(keys)), pa.string())).to_pylist())

    def _ask(self, name: str, keys: Sequence[str]) -> list[Record]:
        """The records. What was not asked for before is written, and the keys that named none are buried."""
        asked = [key for key in dict.fromkeys(keys) if (name, key) not in self._found]
        if asked:
            self._fetch(name, asked)
        return [record for key in dict.fromkeys(keys) if (record := self._found[name, key]) is not None]

    def _fetch(self, name: str, keys: Sequence[str]) -> None:
        """Raises SchemaChanged where the last sync missed a mapped field, which would be written as empty."""
        mapped = self.source.mapping.objects[name]
        self._schemas.require(self.source.name, mapped, self._schemas.fields(self.source.name, name))
        records = [record for some in self.source.connector.fetch(name, keys) for record in some]
        self._walker.take(name, records)
        self.touched.update((self.source.name, entity) for entity in entities_of(self.source.mapping, name))
        by_key = {joined(mapped.key)(record): record for record in records}
        self._found.update(((name, key), by_key.get(key)) for key in keys)
        unknown = [key for key in keys if key not in by_key]
        if unknown and self.source.absence_counts:
            self._bury(mapped, unknown)

    def _bury(self, mapped: ObjectMapping, keys: Sequence[str]) -> None:
        """Rows whose key is the record's own. Of a key that several records share, a census finds out who is left."""
        for target in mapped.targets:
            if target.key == mapped.key:
                self._walker.bury(target.entity.name, keys)
        self._walker.ledger.clear_rejects(self.source.name, mapped.name, keys)
