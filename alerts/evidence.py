"""Source records side by side, as a grid for HTML and as monospace lines for Slack and plain text.

Records that share field names are compared best in one grid. Where the grid would be too wide to read, or a
record names a field twice, each record becomes a short list of its own.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.message import EvidenceRow
from alerts.rendering import line

GRID_COLUMNS = 8
GRID_WIDTH = 84
CELL = 60
VALUE = 300
_NUMBER = re.compile(r"[-+(]?[\d,]*\.?\d+\)?( ?%| [A-Z]{3})?")


@dataclass(frozen=True)
class Grid:
    """`header` and `body` have the same number of columns; `numeric` says which columns align to the right."""

    header: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def grid(rows: Sequence[EvidenceRow]) -> Grid | None:
    """One line per record, one column per field in order of first appearance; None when that does not fit."""
    names = list(dict.fromkeys(name for row in rows for name, _ in row.fields))
    if not rows or len(names) + 2 > GRID_COLUMNS or any(len(dict(row.fields)) < len(row.fields) for row in rows):
        return None
    body = tuple(_cells(row, names) for row in rows)
    return Grid(
        header=("system", "record", *(line(name, CELL) for name in names)),
        body=body,
        numeric=tuple(_is_numeric(column) for column in zip(*body, strict=True)),
    )


def _cells(row: EvidenceRow, names: Iterable[str]) -> tuple[str, ...]:
    values = dict(row.fields)
    return tuple(line(text, CELL) for text in (row.system, row.record, *(values.get(name, "") for name in names)))


def _is_numeric(column: Iterable[str]) -> bool:
    filled = [cell for cell in column if cell]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


def monospace(rows: Sequence[EvidenceRow]) -> list[str]:
    """The records as lines that align in a fixed-width font; a record is one line, or a list of several."""
    table = grid(rows)
    if table is None:
        return _lists(rows)
    lines = _aligned(table)
    return lines if max(map(width, lines)) <= GRID_WIDTH else _lists(rows)


def _aligned(table: Grid) -> list[str]:
    cells = [table.header, *table.body]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(_padded(*cell) for cell in zip(row, widths, table.numeric, strict=True)).rstrip() for row in cells
    ]


def _padded(text: str, room: int, numeric: bool) -> str:
    gap = " " * (room - width(text))
    return gap + text if numeric else text + gap


def _lists(rows: Sequence[EvidenceRow]) -> list[str]:
    lines = []
    for row in rows:
        lines.append(f"{line(row.system, CELL)} {line(row.record, CELL)}")
        lines += [f"  {line(name, CELL)}: {line(value, VALUE)}" for name, value in row.fields]
    return lines


def width(text: str) -> int:
    """Columns that the text takes in a fixed-width font: East Asian wide characters take two, combining ones none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
