"""One object's keys in the source beside those in the books."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from connectors.fields import joined
from gateway.sync.readings import entities_of
from gateway.sync.walk import Walker


@dataclass
class Comparison:
    """What a comparison of one object found. `counted` and `listed` are records, all others rows of the books.

    `counted`: by the source's own count; None where it has none. `listed`: by reading every key. `expected`: the rows
    that these records make, those of rejected records left out. `books`: the live rows. `missing`: expected and not in
    the books. `surplus`: in the books and not in the source. `changed`: with other values, and `fields` in which
    columns, for as many as `compared` were looked at. `trouble`: why it could not be compared, or not be repaired.
    """

    object: str
    counted: int | None = None
    listed: int | None = None
    expected: int = 0
    books: int = 0
    rejected: int = 0
    missing: int = 0
    surplus: int = 0
    compared: int = 0
    changed: int = 0
    repaired: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    trouble: str | None = None
    comparable: bool = True

    @property
    def differs(self) -> bool:
        """Whether a person has to know of it."""
        return bool(self.missing or self.surplus or self.changed) or (self.comparable and self.trouble is not None)


@dataclass
class Listed:
    """Every key that the source shows of one object: by entity, the row's key beside the record's own."""

    rows: dict[str, pa.Table]
    records: int
    counts: tuple[int | None, int | None]

    @property
    def counted(self) -> int | None:
        return self.counts[1]

    @property
    def is_whole(self) -> bool:
        """Whether reading the keys gave as many as the source counts, before or after or in between."""
        known = [count for count in self.counts if count is not None]
        return not known or min(known) <= self.records <= max(known)


def list_keys(walker: Walker, name: str) -> Listed:
    """Count, read every key, and count again: what changes meanwhile is no loss. Raises ConnectorError."""
    connector, mapped = walker.source.connector, walker.source.mapping.objects[name]
    before = connector.count(name)
    own, found, records = joined(mapped.key), _Pairs(entities_of(walker.source.mapping, name)), 0
    for page in connector.census(name):
        records += len(page)
        for target in mapped.targets:
            taken = [record for record in page if target.takes(record)]
            found.add(target.entity.name, [target.key_of(r) for r in taken], [own(r) for r in taken])
    return Listed(found.tables(), records, (before, connector.count(name)))


class _Pairs:
    def __init__(self, entities: Sequence[str]) -> None:
        self._chunks: dict[str, list[pa.Table]] = {entity: [_pairs([], [])] for entity in entities}

    def add(self, entity: str, keys: Sequence[str | None], records: Sequence[str | None]) -> None:
        pairs = _pairs(keys, records)
        self._chunks[entity].append(pairs.filter(pc.is_valid(pairs["key"])))

    def tables(self) -> dict[str, pa.Table]:
        """Each key once."""
        whole = {entity: pa.concat_tables(chunks) for entity, chunks in self._chunks.items()}
        return {entity: _first_of_each(pairs) for entity, pairs in whole.items()}


def _pairs(keys: Sequence[str | None], records: Sequence[str | None]) -> pa.Table:
    return pa.table({"key": pa.array(keys, pa.string()), "record": pa.array(records, pa.string())})


def _first_of_each(pairs: pa.Table) -> pa.Table:
    once = pairs.group_by("key", use_threads=False).aggregate([("record", "first")])
    return pa.table({"key": once["key"], "record": once["record_first"]})
