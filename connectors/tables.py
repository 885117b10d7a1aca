"""Pages of records as Arrow tables: the same rows as `Target.row` gives, made column by column.

Values repeat (days, currencies, prices), so each distinct one of a column is converted once per page. A first load
of a million records lives from this.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from connectors.contract import Record
from connectors.mapping import ColumnRule, ObjectMapping, Reject, Target
from connectors.transforms import BadValue


@dataclass(frozen=True)
class Booked:
    """Tables with the entity's schema by target, without empty ones, and the records that did not become rows."""

    tables: Sequence[tuple[Target, pa.Table]]
    rejects: Sequence[Reject]


def booked(mapped: ObjectMapping, records: Iterable[Record], system: str, synced_at: datetime) -> Booked:
    """Turn the records of a page into tables of every target that takes them."""
    page = list(records)
    tables: list[tuple[Target, pa.Table]] = []
    rejects: dict[Reject, None] = {}
    for target in mapped.targets:
        table, refused = _table(target, [r for r in page if target.takes(r)], system, synced_at)
        rejects.update(dict.fromkeys(refused))
        if table.num_rows:
            tables.append((target, table))
    return Booked(tables, list(rejects))


def _table(
    target: Target, records: Sequence[Record], system: str, synced_at: datetime
) -> tuple[pa.Table, Sequence[Reject]]:
    schema = target.entity.arrow
    keys = [target.key_of(record) for record in records]
    bad = {n for n, key in enumerate(keys) if key is None or target.unreadable(records[n])}
    columns: dict[str, pa.Array] = {}
    for rule in target.rules:
        columns[rule.column] = _column(rule, records, schema.field(rule.column).type, bad)
    if bad:
        good = [record for n, record in enumerate(records) if n not in bad]
        refused = [target.row(records[n], system, synced_at) for n in sorted(bad)]
        return _table(target, good, system, synced_at)[0], [r for r in refused if isinstance(r, Reject)]
    constants = {"system": system, "synced_at": synced_at, "deleted": False}
    columns |= {name: pa.repeat(pa.scalar(v, schema.field(name).type), len(records)) for name, v in constants.items()}
    columns["key"] = pa.array(keys, pa.string())
    columns["raw"] = pa.array([target.raw_of(record) for record in records], pa.string())
    arrays = [columns[f.name] if f.name in columns else pa.nulls(len(records), f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema), []


def _column(rule: ColumnRule, records: Sequence[Record], kind: pa.DataType, bad: set[int]) -> pa.Array:
    """The column's values; the places of those that cannot be converted are added to `bad`."""
    convert = rule.convert
    if convert is None:
        return pa.repeat(pa.scalar(rule.otherwise, kind), len(records))
    values = rule.values(records)
    names: Sequence[Hashable] = values
    if (bool in (types := set(map(type, values))) and int in types) or not types <= _HASHED:
        names = [(type(value), repr(value)) for value in values]
    places: dict[Hashable, int] = {}
    converted: list[Any] = []
    refused: set[int] = set()
    for value, name in zip(values, names, strict=True):
        if name not in places:
            places[name] = len(converted)
            try:
                converted.append(rule.otherwise if value is None or value == "" else convert(value))
            except BadValue:
                refused.add(len(converted))
                converted.append(None)
    indices = [places[name] for name in names]
    if refused:
        bad.update(n for n, place in enumerate(indices) if place in refused)
    return pa.array(converted, kind).take(pa.array(indices, pa.int32()))


# True equals 1 in Python, and lists cannot be hashed: columns that hold such values are told apart by their text.
_HASHED = {str, int, bool, type(None)}
