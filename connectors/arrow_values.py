"""Values of Arrow as JSON would hold them, exactly: what Parquet files and lake tables hand over as records."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def records_of(batch: pa.RecordBatch) -> Iterator[Mapping[str, Any]]:
    """The rows of a batch. Decimals and floats are texts, days and instants are ISO 8601."""
    names = batch.schema.names
    columns = [_values(column) for column in batch.columns]
    for row in zip(*columns, strict=True):
        yield dict(zip(names, row, strict=True))


def plain(value: Any) -> Any:
    """One value; a float becomes its shortest text, so that it is refused where it has more digits than its column."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date):  # a datetime is one too
        return _written(value)
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python and the books know microseconds; what is finer is cut off.
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    if _is_json(column.type):
        return values
    return [plain(value) for value in values]


def _is_json(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_string_view, pa.types.is_large_string, pa.types.is_integer)
    return any(test(kind) for test in (*tests, pa.types.is_boolean))


def _written(value: date) -> str:
    """An instant without a zone stays one: the mapping says in which zone it is meant."""
    return value.isoformat(sep="T") if isinstance(value, datetime) else value.isoformat()
