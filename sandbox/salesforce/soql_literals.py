"""A literal against the type of the field that it is compared with, as strict as Salesforce is.

Text wants quotes, everything else refuses them; a date field takes no datetime and a datetime field no date.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sandbox.salesforce.errors import InvalidField, InvalidFilter
from sandbox.salesforce.fields import KEYS, NUMBERS, TEXT, Field, Value
from sandbox.salesforce.ids import normal_id
from sandbox.salesforce.soql_columns import folded
from sandbox.salesforce.soql_periods import days
from sandbox.salesforce.soql_syntax import Literal, Period

_SPELLING = {"datetime": "dateTime"}


@dataclass(frozen=True)
class Range:
    """What a date literal stands for: [start, end) in dates or in instants, as the field has them."""

    start: date
    end: date


def operand(field: Field, literal: Literal, today: date) -> Value | Range:
    """The literal as the field's rows hold it. InvalidField where the types differ."""
    value = literal.value
    if field.type == "boolean" and value is None:
        return False
    if value is None:
        return None
    if field.type in TEXT and isinstance(value, str):
        return folded(value) if value else None
    if field.type in KEYS and isinstance(value, str):
        return _record_id(value, literal.at) if value else None
    if isinstance(value, Period) and field.type in ("date", "datetime"):
        return _range(value, today, field.type)
    if _plain_type_matches(field, value):
        return value if not isinstance(value, Period) else None
    raise _mismatch(field, literal.at)


def _plain_type_matches(field: Field, value: object) -> bool:
    if field.type == "boolean":
        return isinstance(value, bool)
    if field.type in NUMBERS:
        return isinstance(value, Decimal)
    if field.type == "datetime":
        return isinstance(value, datetime)
    return field.type == "date" and isinstance(value, date) and not isinstance(value, datetime)


def _range(period: Period, today: date, field_type: str) -> Range:
    first, after = days(period.name, period.n, today)
    if field_type == "date":
        return Range(first, after)
    midnight = time(tzinfo=UTC)
    return Range(datetime.combine(first, midnight), datetime.combine(after, midnight))


def _record_id(text: str, at: int) -> str:
    record_id = normal_id(text)
    if record_id is None:
        raise InvalidFilter(f"invalid ID field: {text}", at)
    return record_id


def _mismatch(field: Field, at: int) -> InvalidField:
    text = field.type in TEXT or field.type in KEYS
    kind = "string" if text else _SPELLING.get(field.type, field.type)
    quotes = "should be enclosed in quotes" if text else "should not be enclosed in quotes"
    return InvalidField(f"value of filter criterion for field '{field.name}' must be of type {kind} and {quotes}", at)
