"""Rows of a bulk job's CSV as the records that REST gives for the same query: value for value.

CSV has no types and no nulls: an empty cell is null, whole numbers may come as 0.0, null bytes occur, and an instant
ends in Z where REST writes +0000 (vendors.md A5, E14). What describe says of each field puts that right.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.contract import Record
from connectors.errors import TransientError

# What a bulk query does not give: compound and binary fields.
UNSUPPORTED = frozenset({"address", "location", "base64", "complexvalue", "anyType"})
_FRACTIONS = frozenset({"double", "currency", "percent"})

Read = Callable[[str], Any]


class BulkRows:
    """`types` are the fields of the query by their path, in its order, with the type that describe gives."""

    def __init__(self, system: str, types: Mapping[str, str]) -> None:
        self._system = system
        self._names = list(types)
        self._columns = [(path.split("."), _READ.get(kind, _text)) for path, kind in types.items()]

    def records(self, content: bytes, count: int) -> Sequence[Record]:
        """The records of one download. Raises TransientError where it is not whole: another try gives it again."""
        try:
            text = content.decode("utf-8-sig").replace("\0", "")
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
            found = [self._record(row) for row in rows[1:]]
        except (UnicodeDecodeError, csv.Error, InvalidOperation, ValueError) as error:
            raise self._broken(f"cannot be read ({type(error).__name__})") from None
        if len(found) != count:
            raise self._broken(f"holds {len(found):,} of the {count:,} rows that it announces")
        if rows and [name.lower() for name in rows[0]] != [name.lower() for name in self._names]:
            raise self._broken("has other columns than the query")
        return found

    def _record(self, row: Sequence[str]) -> Record:
        if len(row) != len(self._columns):
            raise ValueError("a row with another number of cells")
        record: dict[str, Any] = {}
        for (path, read), cell in zip(self._columns, row, strict=True):
            _put(record, path, read(cell) if cell else None)
        return record

    def _broken(self, why: str) -> TransientError:
        return TransientError(f"{self._system} sent a page of a bulk job that {why}.")


def _put(record: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value where its path leads. A parent of which nothing is known is null, as REST writes it."""
    name, rest = path[0], path[1:]
    if not rest:
        record[name] = value
        return
    record.setdefault(name, None)
    if value is None and record[name] is None:
        return
    parent = record[name] = record[name] or {}
    _put(parent, rest, value)


def _text(cell: str) -> str:
    return cell


def _flag(cell: str) -> bool:
    if cell.lower() not in ("true", "false"):
        raise ValueError("neither true nor false")
    return cell.lower() == "true"


def _whole(cell: str) -> int:
    number = Decimal(cell)
    if number != number.to_integral_value():
        raise ValueError("a fraction in a whole number")
    return int(number)


def _fraction(cell: str) -> str:
    """As text, for no amount may pass a float; REST never leaves out the fraction."""
    return cell if "." in cell or "e" in cell.lower() else f"{Decimal(cell):f}.0"


def _instant(cell: str) -> str:
    return f"{cell[:-1]}+0000" if cell.endswith("Z") else cell


_READ: Mapping[str, Read] = {
    "boolean": _flag,
    "int": _whole,
    "long": _whole,
    "datetime": _instant,
    **dict.fromkeys(_FRACTIONS, _fraction),
}
