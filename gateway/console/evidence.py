"""The rows behind a case, set side by side so that the difference shows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from books.entities import ENTITIES

MOST_COLUMNS = 6
# Every row has its own; that they differ says nothing.
_IDENTITIES = ("number", "name", "version", "modified_at", "deleted", "raw", "status")


@dataclass(frozen=True)
class Record:
    """One row of the books as it was when the case was found; `fields` in the order of the books."""

    system: str
    entity: str
    key: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """One field over all records of a comparison; None where a record has no such field."""

    name: str
    values: Sequence[str | None]
    differs: bool


@dataclass(frozen=True)
class Comparison:
    """Records as columns. `shared` fields stand in at least two of them, those that differ first."""

    records: Sequence[Record]
    shared: Sequence[Line]
    single: Sequence[Line]


@dataclass(frozen=True)
class Listing:
    """Many records of one entity, a row each."""

    system: str
    entity: str
    columns: Sequence[str]
    records: Sequence[Record]


@dataclass(frozen=True)
class Evidence:
    """`listings` hold the records that found no room in the comparison."""

    comparison: Comparison
    listings: Sequence[Listing]


def laid_out(rows: Sequence[Mapping[str, Any]]) -> Evidence:
    """From a case's evidence as it is stored. Of many records, those that come first of each entity are compared."""
    records = [
        Record(row["system"], row["entity"], row["key"], _in_order(row["entity"], row["fields"])) for row in rows
    ]
    compared = records if len(records) <= MOST_COLUMNS else _first_of_each(records)[:MOST_COLUMNS]
    rest = [record for record in records if record not in compared]
    return Evidence(_compared(compared), _listed(rest))


def _in_order(entity: str, fields: Mapping[str, str]) -> Mapping[str, str]:
    """In the order of the entity's columns, which the database forgets; what it does not know comes last."""
    known = [column.name for column in ENTITIES[entity].columns] if entity in ENTITIES else []
    return {name: fields[name] for name in (*(name for name in known if name in fields), *sorted({*fields} - {*known}))}


def _first_of_each(records: Sequence[Record]) -> list[Record]:
    first: dict[tuple[str, str], Record] = {}
    for record in records:
        first.setdefault((record.system, record.entity), record)
    return list(first.values())


def _compared(records: Sequence[Record]) -> Comparison:
    names = dict.fromkeys(name for record in records for name in record.fields)
    lines = [_line(name, [record.fields.get(name) for record in records]) for name in names]
    shared = [line for line in lines if sum(value is not None for value in line.values) > 1]
    return Comparison(
        records,
        sorted(shared, key=lambda line: not line.differs),
        [line for line in lines if line not in shared],
    )


def _line(name: str, values: Sequence[str | None]) -> Line:
    said = {value for value in values if value is not None}
    return Line(name, values, differs=len(said) > 1 and not name.endswith("_key") and name not in _IDENTITIES)


def _listed(records: Sequence[Record]) -> list[Listing]:
    grouped: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        grouped.setdefault((record.system, record.entity), []).append(record)
    return [
        Listing(system, entity, list(dict.fromkeys(name for one in some for name in one.fields)), some)
        for (system, entity), some in grouped.items()
    ]
