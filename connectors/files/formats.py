"""Reading records out of a file: CSV, JSON Lines, JSON and Parquet.

A reader gives (line, record) and never skips: a row that does not parse is a record that holds nothing but
`_unreadable`, which the mapping turns into a reject. Fractions stay the text that stands in the file, and a float of a
Parquet file becomes its shortest text, so that it is refused where it has more digits than its column.

Files are streamed. Only a JSON document is held as a whole, and may therefore have no more than 64 MiB.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.arrow_values import records_of
from connectors.errors import MappingError, PermanentError, SchemaChanged
from connectors.files.lines import LONGEST, Lines, TooLong
from connectors.http import parsed
from connectors.mapping import ERROR, ObjectMapping
from connectors.object_store import Folder, Found

Numbered = Iterator[tuple[int, Mapping[str, Any]]]
BATCH = 2_000
LARGEST_JSON = 64 * 1024 * 1024
# So much of a file's end is looked at to tell whether somebody is still writing it.
TAIL = 1024 * 1024


class Unfinished(Exception):
    """The file's end does not parse yet: somebody may still be writing it."""


@dataclass(frozen=True)
class Delivery:
    """A file that is read for an object. `mendable`: a broken end may yet be mended, and raises Unfinished."""

    folder: Folder
    file: Found
    mapped: ObjectMapping
    mendable: bool

    @property
    def name(self) -> str:
        return PurePosixPath(self.file.path).name

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.file.path).suffix.lower()

    def stream(self) -> io.BufferedReader:
        return io.BufferedReader(self.folder.stream(self.file.path), 1 << 16)

    def last_line(self) -> bytes:
        """What follows the last line end; empty for a file that ends with one. At most 1 MiB of it."""
        with self.folder.open(self.file.path) as file:
            file.seek(max(0, file.size() - TAIL), os.SEEK_SET)
            tail: bytes = file.read()
        return tail.rpartition(b"\n")[2]


Reader = Callable[[Delivery], Numbered]


def read(delivery: Delivery) -> Numbered:
    """The records of a file, by its suffix.

    Raises MappingError for a file that nothing reads, SchemaChanged for one without a mapped column, PermanentError for
    a JSON document that is too large, and Unfinished.
    """
    if delivery.suffix not in READERS:
        known = ", ".join(READERS)
        raise MappingError(f"The pattern of {delivery.mapped.name} finds {delivery.name}, which is none of {known}.")
    return READERS[delivery.suffix](delivery)


def _delimiter(mapped: ObjectMapping) -> str:
    return str(mapped.options.get("delimiter", ","))


def read_csv(delivery: Delivery) -> Numbered:
    """Rows by the names in the first line; `_line` is the line in the file on which the row begins."""
    csv.field_size_limit(LONGEST)
    delimiter = _delimiter(delivery.mapped)
    with io.TextIOWrapper(delivery.stream(), "utf-8-sig", "surrogateescape", newline="") as file:
        lines: Lines[str] = Lines(file.readline)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        header = _header(rows)
        if delivery.mendable and not _is_whole(delivery, len(header), delimiter):
            raise Unfinished
        _require(delivery, header)
        while True:
            line = lines.number + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, {ERROR: f"The row does not parse as CSV: {error}."}
                continue
            if row:
                yield line, _csv_record(header, row)


def csv_header(delivery: Delivery) -> Sequence[str]:
    """The names in the first line of a CSV file."""
    with io.TextIOWrapper(delivery.stream(), "utf-8-sig", "surrogateescape", newline="") as file:
        return _header(csv.reader(Lines(file.readline), delimiter=_delimiter(delivery.mapped), strict=True))


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        return next(rows, [])
    except csv.Error:
        return []


def _is_whole(delivery: Delivery, fields: int, delimiter: str) -> bool:
    """Whether there is a header, and a last line that does not end has all its fields.

    Whether the last value of such a line is whole, nobody can tell.
    """
    last = delivery.last_line()
    if len(last) == delivery.file.size:
        return False
    if not last:
        return True
    try:
        return len(next(csv.reader([last.decode("utf-8", "replace")], delimiter=delimiter, strict=True))) == fields
    except csv.Error:
        return False


def _csv_record(header: list[str], row: list[str]) -> Mapping[str, Any]:
    if len(row) != len(header):
        return {ERROR: f"The row has {len(row)} fields, and the header {len(header)}."}
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return {ERROR: "The row is not UTF-8 text."}
    return dict(zip(header, row, strict=True))


def read_jsonl(delivery: Delivery) -> Numbered:
    """One object per line; empty lines are passed over."""
    last = delivery.last_line() if delivery.mendable else b""
    if last and ERROR in _object(last):
        raise Unfinished
    with delivery.stream() as file:
        lines: Lines[bytes] = Lines(file.readline)
        while True:
            try:
                text = next(lines)
            except StopIteration:
                return
            except TooLong as error:
                yield lines.number, {ERROR: f"The line does not parse as JSON: {error}."}
                continue
            if text.strip():
                yield lines.number, _object(text)


def _object(text: bytes) -> Mapping[str, Any]:
    """The object that a line holds, or a record that says why there is none."""
    try:
        value = parsed(text)
    except (ValueError, RecursionError) as error:
        return {ERROR: f"The line does not parse as JSON: {_why(error)}."}
    return value if isinstance(value, dict) else {ERROR: "The line is not a JSON object."}


def read_json(delivery: Delivery) -> Numbered:
    """The objects of an array, or of the array that `list` of the mapping names in an object; `_line` counts them."""
    listed = delivery.mapped.options.get("list")
    if delivery.file.size > LARGEST_JSON:
        raise PermanentError(
            f"{delivery.name} has {delivery.file.size:,} bytes, and a JSON document may have {LARGEST_JSON:,}. "
            "Deliver it as JSON Lines, which is read line by line."
        )
    try:
        with delivery.stream() as file:
            value = parsed(file.read())
    except (ValueError, RecursionError) as error:
        if delivery.mendable:
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


def read_parquet(delivery: Delivery) -> Numbered:
    """Rows of a Parquet file, the mapped columns only."""
    with delivery.folder.open(delivery.file.path) as source:
        try:
            file = pq.ParquetFile(source)
        except pa.ArrowInvalid as error:
            if delivery.mendable:
                raise Unfinished from error
            yield 1, {ERROR: "The file does not parse as Parquet."}
            return
        _require(delivery, file.schema_arrow.names)
        wanted = top_level(delivery.mapped)
        columns = [name for name in file.schema_arrow.names if name in wanted]
        line = 0
        try:
            for batch in file.iter_batches(BATCH, columns=columns):
                for record in records_of(batch):
                    line += 1
                    yield line, record
        except (pa.ArrowException, OSError):
            # Arrow raises OSError for what is corrupt and for what it could not fetch. Only the first is a reject.
            _drain(delivery)
            yield line + 1, {ERROR: "The file does not parse as Parquet from this row on."}


def _drain(delivery: Delivery) -> None:
    """Read all bytes. Raises OSError where they cannot be fetched."""
    with delivery.stream() as file:
        while file.read(1 << 20):
            pass


READERS: Mapping[str, Reader] = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json,
    ".parquet": read_parquet,
}


def _require(delivery: Delivery, names: Iterable[str]) -> None:
    present, wanted, mapped = list(names), top_level(delivery.mapped), delivery.mapped
    missing = sorted(wanted - set(present))
    if missing:
        raise SchemaChanged(
            f"{delivery.name} has no column {', '.join(missing)}, which the mapping of {mapped.name} reads. "
            "Correct the file or the mapping."
        )
    double = sorted({name for name in present if name in wanted and present.count(name) > 1})
    if double:
        raise SchemaChanged(f"{delivery.name} has the column {', '.join(double)} twice; which one counts is not clear.")


def top_level(mapped: ObjectMapping) -> set[str]:
    """The columns that the mapping reads: of a path through nested records, the first step."""
    return {name.partition(".")[0] for name in mapped.fields}


def _why(error: Exception) -> str:
    return f"{error.msg} at position {error.pos}" if isinstance(error, json.JSONDecodeError) else type(error).__name__
