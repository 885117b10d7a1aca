"""Values as the organisation keeps them, and the functions of its SQL that deal with days and times.

Moments are kept as `YYYY-MM-DD HH:MI:SS` in the organisation's zone, days with a time of zero, so that they compare.
"""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from sandbox.netsuite.masks import strftime_of

FORMAT = "%Y-%m-%d %H:%M:%S"
EXACT_DIGITS = 15
Kept = str | int | float | None


def kept(kind: str, value: object, zone: ZoneInfo) -> Kept:
    """A value for a field of that type; empty text is null, as in Oracle. Raises ValueError where it does not fit."""
    if value is None or value == "":
        return None
    if kind == "text":
        return str(value)
    if kind == "flag":
        return _flag(value)
    if kind in ("date", "datetime"):
        return _moment(kind, value, zone)
    return _number(value)


def shown(value: Kept | bytes) -> str:
    """A value as the API writes it: all of them are text, and null is empty."""
    if isinstance(value, float):
        return f"{Decimal(format(value, f'.{EXACT_DIGITS}g')):f}"
    return "" if value is None else str(value)


def to_char(value: Kept, mask: str | None = None) -> str | None:
    """TO_CHAR of a moment with a mask, or of anything without one."""
    if value is None:
        return None
    if mask is None:
        return shown(value)
    return datetime.fromisoformat(str(value)).strftime(strftime_of(mask))


def to_date(text: str | None, mask: str) -> str | None:
    """TO_DATE and TO_TIMESTAMP: a text as the mask says."""
    if text is None:
        return None
    # The zone is named only because a moment without one is easily mistaken; none is written.
    return datetime.strptime(text, strftime_of(mask)).replace(tzinfo=UTC).strftime(FORMAT)


def scatter(key: int, seed: int) -> int:
    """A place that says nothing: rows that a statement does not order come in no order."""
    return (key * 2_654_435_761 + seed * 40_503) % 4_294_967_291


def _flag(value: object) -> str:
    word = str(int(value)) if isinstance(value, bool) else str(value)
    if word not in ("0", "1"):
        raise ValueError(f"{value!r} is neither 0 nor 1")
    return word


def _moment(kind: str, value: object, zone: ZoneInfo) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        local = value.astimezone(zone) if value.tzinfo else value
        return f"{local:%Y-%m-%d} 00:00:00" if kind == "date" else local.strftime(FORMAT)
    if isinstance(value, date):
        return f"{value} 00:00:00"
    raise ValueError(f"{value!r} is no date")


def _number(value: object) -> int | float:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > EXACT_DIGITS:
        raise ValueError(f"{value!r} has more than {EXACT_DIGITS} digits")
    return int(number) if number == number.to_integral_value() else float(number)
