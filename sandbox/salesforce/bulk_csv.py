"""A result as the CSV of a bulk query job, with its oddities (vendors.md A5)."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sandbox.salesforce.fields import Value
from sandbox.salesforce.soql_columns import Column
from sandbox.salesforce.table import Row
from sandbox.salesforce.wire import value_text

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


def csv_of(
    columns: Sequence[Column], rows: Sequence[Row], delimiter: str, line_ending: str, *, null_bytes: bool
) -> bytes:
    """A header and the rows, every cell in quotes. `null_bytes` puts one into every text, as exports are known to."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_ending, quoting=csv.QUOTE_ALL)
    writer.writerow([column.name for column in columns])
    writer.writerows([[_cell(column.get(row), null_bytes) for column in columns] for row in rows])
    return file.getvalue().encode()


def _cell(value: Value, null_bytes: bool) -> str:
    """Null is an empty cell, an instant ends in Z, and a whole number shows a fraction."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}.0"
    if isinstance(value, Decimal):
        return value_text(value)
    if isinstance(value, datetime):
        return value.isoformat()[:19] + ".000Z"
    if isinstance(value, str):
        return f"{value}\0" if null_bytes else value
    return value.isoformat()
