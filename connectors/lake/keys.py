"""Keys of rows as conditions that a table's reader can push down to its files."""

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.dataset as ds

from connectors.fields import KEY_SEPARATOR, Field

# Per column the values that a row may have; a superset of the rows that are wanted.
Among = Mapping[str, Sequence[str | int]]
_WHOLE = re.compile(r"-?[0-9]{1,18}")


def among(schema: pa.Schema, key: Sequence[Field], wanted: Sequence[str]) -> Among | None:
    """The values that the key's columns have in rows with the wanted keys; None where no condition can say it.

    Only texts and whole numbers are pushed down, whose text is the same in every reader.
    """
    if any(field.nested for field in key):
        return None
    parts = [text.split(KEY_SEPARATOR) if len(key) > 1 else [text] for text in wanted]
    if any(len(steps) != len(key) for steps in parts):
        return None
    found: dict[str, Sequence[str | int]] = {}
    for field, values in zip(key, zip(*parts, strict=True), strict=True):
        kind = schema.field(field.path).type
        if pa.types.is_integer(kind):
            found[field.path] = sorted({int(text) for text in values if _WHOLE.fullmatch(text)})
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            found[field.path] = sorted(set(values))
        else:
            return None
    return found


def as_sql(condition: Among) -> str:
    """The condition in the SQL of DataFusion. A column that may have no value at all makes it false."""
    return " AND ".join(
        f"{_name(column)} IN ({', '.join(map(_literal, values))})" if values else "false"
        for column, values in condition.items()
    )


def as_arrow(condition: Among) -> ds.Expression:
    expressions = [ds.field(column).isin(list(values)) for column, values in condition.items()]
    whole = expressions[0]
    for expression in expressions[1:]:
        whole &= expression
    return whole


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
