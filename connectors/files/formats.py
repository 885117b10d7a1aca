"""Reading records out of a file: CSV, JSON Lines, JSON and Parquet.

A reader gives (line, record) and never skips: a row that does not parse is a record that holds nothing but
`_unreadable`, which the mapping turns into a reject. Fractions stay the text that stands in the file, and a float of a
Parquet file becomes its shortest text, so that it is refused where it has more digits than its column.
"""

import csv
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import MappingError, SchemaChanged
from connectors.http import parsed
from connectors.mapping import ERROR, ObjectMapping

Numbered = Iterator[tuple[int, Mapping[str, Any]]]
# Reads a file; the flag says whether a broken one may still be mended, in which case Unfinished is raised.
Reader = Callable[[Path, bool], Numbered]
BATCH = 2_000
LONGEST_FIELD = 16 * 1024 * 1024


class Unfinished(Exception):
    """The file's end does not parse yet: somebody may still be writing it."""


def reader_of(path: Path, mapped: ObjectMapping) -> Reader:
    """The reader for a file, by its suffix. Raises MappingError for one that nothing reads."""
    readers: Mapping[str, Reader] = {
        ".csv": lambda p, _: read_csv(p, mapped),
        ".jsonl": read_jsonl,
        ".ndjson": read_jsonl,
        ".json": lambda p, mendable: read_json(p, mendable, mapped.options.get("list")),
        ".parquet": lambda p, mendable: read_parquet(p, mendable, mapped),
    }
    if path.suffix.lower() not in readers:
        raise MappingError(f"The pattern of {mapped.name} finds {path.name}, which is none of {', '.join(readers)}.")
    return readers[path.suffix.lower()]


def read_csv(path: Path, mapped: ObjectMapping) -> Numbered:
    """Rows by the names in the first line; `_line` is the line in the file on which the row begins."""
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file, delimiter=mapped.options.get("delimiter", ","), strict=True)
        header = next(rows, [])
        _require(path, mapped, header)
        while True:
            line = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, {ERROR: f"The row does not parse as CSV: {error}."}
                continue
            if row:
                yield line, _csv_record(header, row)


def _csv_record(header: list[str], row: list[str]) -> Mapping[str, Any]:
    if len(row) != len(header):
        return {ERROR: f"The row has {len(row)} fields, and the header {len(header)}."}
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return {ERROR: "The row is not UTF-8 text."}
    return dict(zip(header, row, strict=True))


def read_jsonl(path: Path, mendable: bool) -> Numbered:
    """One object per line; empty lines are passed over."""
    if mendable and not _ends_whole(path):
        raise Unfinished
    with path.open("rb") as file:
        for line, text in enumerate(file, 1):
            if text.strip():
                yield line, _object(text)


def _ends_whole(path: Path) -> bool:
    """Whether the last line ends with a newline, or parses without one."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return True
        file.seek(0)
        last = deque(file, maxlen=1).pop()
    return ERROR not in _object(last)


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        value = parsed(text)
    except (ValueError, RecursionError) as error:
        return {ERROR: f"The line does not parse as JSON: {_why(error)}."}
    return value if isinstance(value, dict) else {ERROR: "The line is not a JSON object."}


def read_json(path: Path, mendable: bool, listed: str | None) -> Numbered:
    """The objects of an array, or of the array called `listed` in an object; `_line` counts them."""
    try:
        value = parsed(path.read_bytes())
    except (ValueError, RecursionError) as error:
        if mendable:
            raise Unfinished from error
        yield 1, {ERROR: f"The file does not parse as JSON: {_why(error)}."}
        return
    if listed is not None:
        value = value.get(listed) if isinstance(value, dict) else None
    if not isinstance(value, list):
        wanted = f"an object with the array {listed!r}" if listed else "an array"
        yield 1, {ERROR: f"The file is not {wanted}."}
        return
    for line, entry in enumerate(value, 1):
        yield line, entry if isinstance(entry, dict) else {ERROR: "The element is not a JSON object."}


def read_parquet(path: Path, mendable: bool, mapped: ObjectMapping) -> Numbered:
    """Rows of a Parquet file, the mapped columns only."""
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        if mendable:
            raise Unfinished from error
        yield 1, {ERROR: "The file does not parse as Parquet."}
        return
    with file:
        _require(path, mapped, file.schema_arrow.names)
        columns = [name for name in file.schema_arrow.names if name in _top_level(mapped)]
        line = 0
        try:
            for batch in file.iter_batches(BATCH, columns=columns):
                for row in batch.to_pylist():
                    line += 1
                    yield line, {name: _plain(value) for name, value in row.items()}
        except (pa.ArrowException, OSError):
            yield line + 1, {ERROR: "The file does not parse as Parquet from this row on."}


def _plain(value: Any) -> Any:
    """A value of Arrow as JSON would hold it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return value


def _require(path: Path, mapped: ObjectMapping, names: Iterable[str]) -> None:
    present = list(names)
    missing = sorted(_top_level(mapped) - set(present))
    if missing:
        raise SchemaChanged(
            f"{path.name} has no column {', '.join(missing)}, which the mapping of {mapped.name} reads. "
            "Correct the file or the mapping."
        )
    double = sorted({name for name in present if name in _top_level(mapped) and present.count(name) > 1})
    if double:
        raise SchemaChanged(f"{path.name} has the column {', '.join(double)} twice; which one counts is not clear.")


def _top_level(mapped: ObjectMapping) -> set[str]:
    return {name.partition(".")[0] for name in mapped.fields}


def _why(error: Exception) -> str:
    return f"{error.msg} at position {error.pos}" if isinstance(error, json.JSONDecodeError) else type(error).__name__
