"""Column types of the account and the values that they take."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

TYPES = ("integer", "text", "boolean", "number", "date", "datetime")
INTEGER_DIGITS = 18
"""Digits before the point that a number may have; with FRACTION_DIGITS it fills DECIMAL(28,10)."""
FRACTION_DIGITS = 10

Value = int | str | Decimal | date | datetime
"""A stored value. Booleans are 'T' and 'F'; datetimes are aware, in UTC, on a whole second."""


def stored(kind: str, value: object) -> Value | None:
    """`value` as a column of this type keeps it; the empty string is null, as in Oracle.

    Raises ValueError when the value is not one of the type. Floats are refused: money is exact.
    """
    if value is None or value == "":
        return None
    return _STORE[kind](value)


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and value.removeprefix("-").isdecimal():
        number = int(value)
    else:
        raise ValueError(f"{value!r} is not an integer")
    if abs(number) >= 1 << 63:
        raise ValueError(f"{value!r} is outside 64 bits")
    return number


def _text(value: object) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{value!r} is not text")


def _boolean(value: object) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if value in ("T", "F"):
        return str(value)
    raise ValueError(f"{value!r} is neither true nor false ('T', 'F')")


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"{value!r} is not an exact number; give a Decimal")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{value!r} is not a finite number")
    if -exponent > FRACTION_DIGITS or number.adjusted() >= INTEGER_DIGITS:
        raise ValueError(f"{value!r} has more digits than {INTEGER_DIGITS} before, {FRACTION_DIGITS} after")
    return number


def _date(value: object) -> date:
    if isinstance(value, datetime):
        raise ValueError(f"{value!r} is a moment; give a date")
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return date.fromisoformat(value)
    raise ValueError(f"{value!r} is not a date")


def _datetime(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise ValueError(f"{value!r} is not a moment")
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment.astimezone(UTC).replace(microsecond=0)


_STORE: Mapping[str, Callable[[object], Value]] = {
    "integer": _integer,
    "text": _text,
    "boolean": _boolean,
    "number": _number,
    "date": _date,
    "datetime": _datetime,
}
