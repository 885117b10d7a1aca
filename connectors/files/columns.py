"""Which columns a file has, as far as its format tells."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.contract import SourceField
from connectors.files.formats import Delivery, csv_header, read
from connectors.mapping import ERROR

# JSON names its fields in every record; so many records are looked at.
LOOKED_AT = 200


def columns_of(delivery: Delivery) -> Sequence[SourceField]:
    """The columns, each once, in the order of the file; empty where the file is empty or broken."""
    if delivery.suffix == ".parquet":
        return _parquet(delivery)
    if delivery.suffix == ".csv":
        return [SourceField(name, "text") for name in dict.fromkeys(csv_header(delivery))]
    records = islice((record for _, record in read(delivery)), LOOKED_AT)
    return _json([record for record in records if ERROR not in record])


def _parquet(delivery: Delivery) -> Sequence[SourceField]:
    with delivery.folder.open(delivery.file.path) as source:
        try:
            schema = pq.ParquetFile(source).schema_arrow
        except pa.ArrowInvalid:
            return ()
    return [SourceField(field.name, str(field.type), field.nullable) for field in schema]


def _json(records: Sequence[Mapping[str, Any]]) -> Sequence[SourceField]:
    names = dict.fromkeys(name for record in records for name in record)
    return [SourceField(name, _type(record.get(name) for record in records)) for name in names]


def _type(values: Iterable[Any]) -> str:
    """JSON's word for the values; a fraction has become a text by then. `mixed` where they are of several kinds."""
    words = {_WORDS.get(type(value), "text") for value in values if value is not None}
    return words.pop() if len(words) == 1 else "mixed" if words else "null"


_WORDS: Mapping[type, str] = {bool: "boolean", int: "number", dict: "object", list: "array"}
