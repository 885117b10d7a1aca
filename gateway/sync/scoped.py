"""Reads single records that somebody named into the books, apart from the walk.

Rows are written by the same code as a walk writes them. No position, watermark or census moves: what lies between
has not been read, so nothing may be concluded from it. A record that the source does not know any more is buried.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from books.store import Store
from connectors.contract import Record
from connectors.fields import joined
from connectors.mapping import ObjectMapping
from gateway.sync.ledger import Ledger
from gateway.sync.readings import entities_of
from gateway.sync.source import OpenSource, SourceReport
from gateway.sync.walk import Walker


class ScopedPoll:
    """Records of one source by their keys. The caller holds the sync's lock, and publishes."""

    def __init__(self, source: OpenSource, store: Store, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self.source = source
        self._walker = Walker(source, store, ledger, clock)
        self.touched: set[tuple[str, str]] = set()
        """The (system, entity) of which records were asked for."""

    @property
    def report(self) -> SourceReport:
        return self._walker.report

    def read(self, name: str, keys: Sequence[str]) -> None:
        """Read these records of an object, and those that show a value of theirs. Raises ConnectorError."""
        records = self._ask(name, keys)
        for other, found in _shown_by(self.source.mapping.objects, name, records):
            self._ask(other, sorted(found))

    def _ask(self, name: str, keys: Sequence[str]) -> list[Record]:
        """The records, which are written; the keys that named none are buried."""
        mapped = self.source.mapping.objects[name]
        unknown = dict.fromkeys(keys)
        records = [record for some in self.source.connector.fetch(name, list(unknown)) for record in some]
        self._walker.take(name, records)
        self.touched.update((self.source.name, entity) for entity in entities_of(self.source.mapping, name))
        key_of = joined(mapped.key)
        for record in records:
            unknown.pop(key_of(record) or "", None)
        if unknown and self.source.absence_counts:
            self._bury(mapped, list(unknown))
        return records

    def _bury(self, mapped: ObjectMapping, keys: Sequence[str]) -> None:
        """Rows whose key is the record's own. Of a key that several records share, a census finds out who is left."""
        for target in mapped.targets:
            if target.key == mapped.key:
                self._walker.bury(target.entity.name, keys)
        self._walker.ledger.clear_rejects(self.source.name, mapped.name, keys)


def _shown_by(
    objects: Mapping[str, ObjectMapping], name: str, records: Sequence[Record]
) -> Iterator[tuple[str, set[str]]]:
    """Per object that looks these records up by its own key (a charge its price tiers): the keys of who shows them."""
    for other, mapped in objects.items():
        matches = [up.match for up in mapped.look_ups if up.object == name and (up.by,) == mapped.key]
        found = {str(value) for match in matches for record in records if (value := record.get(match))}
        if found:
            yield other, found
