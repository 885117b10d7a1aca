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
    """`types` are the fields of the query by their path, in its order, with the type that describe gives.

    A page is converted column by column: a first load of millions of rows lives from this.
    """

    def __init__(self, system: str, types: Mapping[str, str]) -> None:
        self._system = system
        self._names = list(types)
        self._reads = [_READ.get(kind) for kind in types.values()]

    def records(self, content: bytes, count: int) -> Sequence[Record]:
        """The records of one download. Raises TransientError where it is not whole: another try gives it again."""
        try:
            text = content.decode("utf-8-sig").replace("\0", "")
            header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True) if text else ([],)
            columns = self._columns(rows)
        except (UnicodeDecodeError, csv.Error, InvalidOperation, ValueError) as error:
            raise self._broken(f"cannot be read ({type(error).__name__})") from None
        if len(rows) != count:
            raise self._broken(f"holds {len(rows):,} of the {count:,} rows that it announces")
        if header and [name.lower() for name in header] != [name.lower() for name in self._names]:
            raise self._broken("has other columns than the query")
        return self._joined(columns)

    def _columns(self, rows: Sequence[Sequence[str]]) -> Sequence[Sequence[Any]]:
        """The cells of each field, converted."""
        if set(map(len, rows)) - {len(self._names)}:
            raise ValueError("a row with another number of cells")
        return [_converted(read, cells) for read, cells in zip(self._reads, zip(*rows, strict=True), strict=False)]

    def _joined(self, columns: Sequence[Sequence[Any]]) -> Sequence[Record]:
        """The records that the columns are: own fields first, then what is nested."""
        named = list(zip(self._names, columns, strict=False))
        own = [(name, column) for name, column in named if "." not in name]
        names = [name for name, _ in own]
        records = [dict(zip(names, row, strict=True)) for row in zip(*(column for _, column in own), strict=True)]
        for path, column in named:
            if "." in path:
                steps = path.split(".")
                for record, value in zip(records, column, strict=True):
                    _put(record, steps, value)
        return records

    def _broken(self, why: str) -> TransientError:
        return TransientError(f"{self._system} sent a page of a bulk job that {why}.")


def _converted(read: Read | None, cells: Sequence[str]) -> list[Any]:
    if read is None:
        return [cell or None for cell in cells]
    return [read(cell) if cell else None for cell in cells]


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
