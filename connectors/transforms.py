"""How a value of a source becomes a value of the books, exactly, or is refused in a sentence.

A source value is text, a whole number, or true/false: numbers with a fraction reach this module as the text that
the source sent, so that no amount ever passes a float. Empty (None or "") never reaches a transform.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from books.columns import Kind

Convert = Callable[[Any], Any]

# (digits in all, digits after the point) of the decimal columns, as in books/columns.py.
DECIMALS: Mapping[Kind, tuple[int, int]] = {Kind.MONEY: (18, 4), Kind.QUANTITY: (18, 6), Kind.PRICE: (24, 8)}
WHOLE_BITS = 63
# Moving the point changes no digit: there is room for all of them.
_SHIFTING = Context(prec=5_000, Emin=MIN_EMIN, Emax=MAX_EMAX)
TRUE_WORDS = frozenset({"true", "t", "1", "yes", "y"})
FALSE_WORDS = frozenset({"false", "f", "0", "no", "n"})
# The word as written without case, spaces, hyphens and underscores, to the months that one billing period lasts.
MONTHS_OF: Mapping[str, int] = {
    **dict.fromkeys(("month", "monthly"), 1),
    **dict.fromkeys(("quarter", "quarterly"), 3),
    **dict.fromkeys(("semiannual", "semiannually", "halfyearly"), 6),
    **dict.fromkeys(("annual", "annually", "year", "yearly"), 12),
    "eighteenmonths": 18,
    **dict.fromkeys(("twoyears", "biennial"), 24),
    "threeyears": 36,
    "fiveyears": 60,
}


class BadValue(ValueError):
    """The value does not fit; the message says why and reads after 'Amount ... '."""


def text(value: Any) -> str:
    """Text as it is, without the null bytes that exports are known to leave in it (vendors.md A5)."""
    if isinstance(value, str):
        if not encodable(value):
            raise BadValue("holds half a character, which is no text")
        return value.replace("\0", "") if "\0" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise BadValue(f"is not text but {_shown(value)}")


def encodable(value: str) -> bool:
    """Whether the text can be stored at all: JSON can spell half of a surrogate pair, and nothing can hold it."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def lower(value: Any) -> str:
    return text(value).lower()


def upper(value: Any) -> str:
    return text(value).upper()


def listed(value: Any) -> str:
    """A list of words as one text, separated by commas; a text stays as it is."""
    return ",".join(text(word) for word in value) if isinstance(value, list) else text(value)


def after_underscore(value: Any) -> str:
    """What follows the last underscore: `CustInvc_4711` names line 4711."""
    _, underscore, rest = text(value).rpartition("_")
    if not underscore or not rest:
        raise BadValue(f"has nothing after an underscore: {_shown(value)}")
    return rest


def whole(value: Any) -> int:
    """A whole number; 12.0 is one, because Salesforce writes every number with a fraction."""
    number = _decimal(value)
    if number != number.to_integral_value():
        raise BadValue(f"is not a whole number: {_shown(value)}")
    if abs(number) >= 1 << WHOLE_BITS:
        raise BadValue(f"is out of range: {_shown(value)}")
    return int(number)


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = text(value).strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise BadValue(f"is neither yes nor no: {_shown(value)}")


def decimal_of(kind: Kind) -> Convert:
    """Exact decimals of a column: too many digits on either side are refused, never rounded."""
    digits, places = DECIMALS[kind]
    exponent = Decimal(1).scaleb(-places)
    exact = Context(prec=digits, traps=[Inexact, InvalidOperation])

    def convert(value: Any) -> Decimal:
        number = _decimal(value)
        try:
            return number.quantize(exponent, context=exact)
        except Inexact:
            raise BadValue(f"has more than {places} digits after the point: {_shown(value)}") from None
        except InvalidOperation:
            raise BadValue(f"is out of range: {_shown(value)}") from None

    return convert


def negate_of(kind: Kind) -> Convert:
    convert = decimal_of(kind)
    return lambda value: Decimal(0) - convert(value)


def absolute_of(kind: Kind) -> Convert:
    convert = decimal_of(kind)
    return lambda value: convert(value).copy_abs()


def hundredths_of(kind: Kind) -> Convert:
    """Amounts in cents, of a currency with two digits after the point; and percentages, which become fractions."""
    convert = decimal_of(kind)
    return lambda value: convert(str(_decimal(value).scaleb(-2, _SHIFTING)))


def bound_of(kind: Kind) -> Convert:
    """The end of a range; a negative number says that it has none, as -1 does (vendors.md C1)."""
    convert = decimal_of(kind)
    return lambda value: number if (number := convert(value)) >= 0 else None


def day(value: Any) -> date:
    """A calendar day written as 2026-11-30."""
    # Python also takes 2026-W01-1, a day of a week.
    if isinstance(value, str) and len(value) == 10 and value[7] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise BadValue(f"is not a date such as 2026-11-30: {_shown(value)}")


def day_written(value: Any) -> date:
    """The day as the text says it, whatever time follows: `2026-11-30 00:00:00`."""
    return day(text(value)[:10])


def day_after(value: Any) -> date:
    """The first day that is no longer covered, from the last day that is."""
    last = day_written(value)
    if last == date.max:
        raise BadValue(f"has no day after it: {_shown(value)}")
    return last + timedelta(days=1)


def month_start(value: Any) -> date:
    """The first day of a month written as 2026-11; a day in it does as well."""
    return day(text(value)[:7] + "-01")


def month_end(value: Any) -> date:
    """The first day after a month written as 2026-11."""
    first = month_start(value)
    if first >= date.max.replace(day=1):
        raise BadValue(f"has no month after it: {_shown(value)}")
    return (first + timedelta(days=31)).replace(day=1)


def instant_in(zone: ZoneInfo | None) -> Convert:
    """Instants in UTC. A text that names no offset is read in `zone`; without one it is refused."""

    def convert(value: Any) -> datetime:
        moment = _moment(value)
        if moment.tzinfo is None:
            if zone is None:
                raise BadValue(f"names no time zone: {_shown(value)}")
            moment = moment.replace(tzinfo=zone)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise BadValue(f"is out of range: {_shown(value)}") from None

    return convert


def choice_of(values: Mapping[str, Any]) -> Convert:
    """The value that stands beside the source's; others are refused with the ones that are known."""

    def convert(value: Any) -> Any:
        word = text(value)
        if word not in values:
            raise BadValue(f"is {_shown(value)}, which is none of: {', '.join(values)}")
        return values[word]

    return convert


def months_of(values: Mapping[str, Any]) -> Convert:
    """Months of a billing period from its word, such as `Quarterly`; `values` adds words of one's own."""

    def convert(value: Any) -> Any:
        word = text(value)
        if word in values:
            return values[word]
        plain = word.lower().replace(" ", "").replace("-", "").replace("_", "")
        if plain not in MONTHS_OF:
            raise BadValue(f"is {_shown(value)}, which is no known billing period")
        return MONTHS_OF[plain]

    return convert


def _decimal(value: Any) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and value.isascii() and "_" not in value:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise BadValue(f"is not a number: {_shown(value)}")


def _moment(value: Any) -> datetime:
    if isinstance(value, str) and len(value) > 10:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise BadValue(f"is not an instant such as 2026-11-30T08:00:00Z: {_shown(value)}")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


_BY_KIND: Mapping[Kind, Convert] = {
    Kind.TEXT: text,
    Kind.WHOLE: whole,
    Kind.FLAG: flag,
    Kind.DATE: day,
    **{kind: decimal_of(kind) for kind in DECIMALS},
}
_TEXT: Mapping[str, Convert] = {
    "text": text,
    "lower": lower,
    "upper": upper,
    "listed": listed,
    "after_underscore": after_underscore,
}
_DATE: Mapping[str, Convert] = {
    "date": day,
    "date_written": day_written,
    "day_after": day_after,
    "month_start": month_start,
    "month_end": month_end,
}
_DECIMAL: Mapping[str, Callable[[Kind], Convert]] = {
    "negate": negate_of,
    "absolute": absolute_of,
    "hundredths": hundredths_of,
    "bound": bound_of,
}
_CHOICES: Mapping[str, Callable[[Mapping[str, Any]], Convert]] = {"choice": choice_of, "months_of": months_of}


def names_for(kind: Kind) -> tuple[str, ...]:
    """The transforms that give a value of this kind; the first is the one that a column has by default."""
    if kind in DECIMALS:
        return (kind.value, *_DECIMAL)
    special = {
        Kind.TEXT: (*_TEXT, "choice"),
        Kind.WHOLE: ("whole", "months_of", "choice"),
        Kind.FLAG: ("flag", "choice"),
        Kind.DATE: tuple(_DATE),
        Kind.INSTANT: ("instant",),
    }
    return special[kind]


def takes_values(name: str) -> bool:
    """Whether the transform is steered by a table of `values`."""
    return name in _CHOICES


def transform(name: str, kind: Kind, values: Mapping[str, Any], zone: ZoneInfo | None) -> Convert:
    """The function of a transform that `names_for` lists for the kind."""
    if name in _CHOICES:
        return _CHOICES[name](values)
    if name in _DECIMAL:
        return _DECIMAL[name](kind)
    if name == "instant":
        return instant_in(zone)
    return _TEXT.get(name) or _DATE.get(name) or _BY_KIND[kind]
