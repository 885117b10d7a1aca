"""Pages of records as Arrow tables: the same rows as `Target.row` gives, made column by column.

Values repeat (days, currencies, prices), so each distinct one of a column is converted once per page. A first load
of a million records lives from this.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import Record
from connectors.fields import ColumnRule
from connectors.mapping import ObjectMapping, Reject, Target
from connectors.transforms import BadValue, text

# True equals 1 in Python, and lists cannot be hashed: columns that hold such values are told apart by their text.
_HASHED = {str, int, bool, type(None)}
_WORDS = {str, type(None)}


@dataclass(frozen=True)
class Booked:
    """Tables with the entity's schema by target, without empty ones, and the records that did not become rows."""

    tables: Sequence[tuple[Target, pa.Table]]
    rejects: Sequence[Reject]


def booked(mapped: ObjectMapping, records: Iterable[Record], system: str, synced_at: datetime) -> Booked:
    """Turn the records of a page into tables of every target that takes them, as `ObjectMapping.book` into rows."""
    page = list(records)
    tables: list[tuple[Target, pa.Table]] = []
    rejects: dict[tuple[int, Reject], None] = {}
    for target in mapped.targets:
        places = [n for n, record in enumerate(page) if target.takes(record)]
        taken = [page[n] for n in places]
        columns, bad = _columns(target, taken)
        if bad:
            for n in sorted(bad):
                row = target.row(taken[n], system, synced_at)
                assert isinstance(row, Reject), "a value was refused in its column but not in its row"
                rejects[places[n], row] = None
            taken = [record for n, record in enumerate(taken) if n not in bad]
            columns, _ = _columns(target, taken)
        if taken:
            tables.append((target, _table(target, taken, columns, system, synced_at)))
    return Booked(tables, [reject for _, reject in sorted(rejects, key=lambda entry: entry[0])])


def _columns(target: Target, records: Sequence[Record]) -> tuple[dict[str, pa.Array], set[int]]:
    """The filled columns, and the places of the records that cannot be rows."""
    schema = target.entity.arrow
    keys = [target.key_of(record) for record in records]
    bad = {n for n, key in enumerate(keys) if key is None or target.unreadable(records[n])}
    columns = {rule.column: _column(rule, records, schema.field(rule.column).type, bad) for rule in target.rules}
    return columns | {"key": pa.array(keys, pa.string())}, bad


def _table(
    target: Target, records: Sequence[Record], columns: dict[str, pa.Array], system: str, synced_at: datetime
) -> pa.Table:
    schema = target.entity.arrow
    constants = {"system": system, "synced_at": synced_at, "deleted": False}
    columns |= {name: pa.repeat(pa.scalar(v, schema.field(name).type), len(records)) for name, v in constants.items()}
    columns["raw"] = pa.array([target.raw_of(record) for record in records], pa.string())
    arrays = [columns[f.name] if f.name in columns else pa.nulls(len(records), f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _column(rule: ColumnRule, records: Sequence[Record], kind: pa.DataType, bad: set[int]) -> pa.Array:
    """The column's values; the places of those that cannot be converted are added to `bad`."""
    if rule.convert is None:
        return pa.repeat(pa.scalar(rule.otherwise, kind), len(records))
    values = rule.values(records)
    words = _words(values)
    if words is not None and rule.convert is text and rule.otherwise is None:
        return pc.if_else(pc.equal(words, ""), pa.scalar(None, kind), words)
    distinct, places = _distinct(values) if words is None else _distinct_words(words)
    converted: list[Any] = []
    refused: list[int] = []
    for value in distinct:
        try:
            converted.append(rule.otherwise if value is None or value == "" else rule.convert(value))
        except BadValue:
            refused.append(len(converted))
            converted.append(None)
    if refused:
        bad.update(pc.indices_nonzero(pc.is_in(places, value_set=pa.array(refused, pa.int32()))).to_pylist())
    return pa.array(converted, kind).take(places)


def _words(values: Sequence[Any]) -> pa.Array | None:
    """The values as texts, if they are nothing else and nothing in them needs to be mended or refused."""
    if not set(map(type, values)) <= _WORDS:
        return None
    try:
        words = pa.array(values, pa.string())
    except UnicodeEncodeError:
        return None
    return None if pc.any(pc.match_substring(words, "\0")).as_py() else words


def _distinct_words(words: pa.Array) -> tuple[Sequence[str | None], pa.Array]:
    """What `_distinct` gives, found by Arrow: a page of dates or prices holds few of them."""
    encoded = words.dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), encoded.indices


def _distinct(values: Sequence[Any]) -> tuple[Sequence[Any], pa.Array]:
    """The distinct values in the order in which they come, and for every value its place among them."""
    places: dict[Hashable, int] = {}
    distinct: list[Any] = []
    found: list[int] = []
    for value, name in zip(values, _names(values), strict=True):
        place = places.setdefault(name, len(distinct))
        if place == len(distinct):
            distinct.append(value)
        found.append(place)
    return distinct, pa.array(found, pa.int32())


def _names(values: Sequence[Any]) -> Sequence[Hashable]:
    """What tells distinct values apart: themselves, or their type and text."""
    types = set(map(type, values))
    if types <= _HASHED and not {int, bool} <= types:
        return values
    return [(type(value), repr(value)) for value in values]
