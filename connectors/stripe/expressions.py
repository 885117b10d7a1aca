"""Fields that are computed from Stripe's: what a mapping writes as `money(total)` or `day(period.end)`.

Stripe sends amounts as whole minor units (`1999`, and for JPY `1999` as well), prices as decimal texts of minor units,
and moments as Unix seconds. A transform sees one value and cannot know the currency beside it, so the connector
computes the field before the mapping reads it, and the mapping stays a list of names.

    money(path)            an amount in the currency's unit, exact; the sum where the path leads into a list
    net(path, taxes ...)   the same, less those taxes of the lists that are included in it
    instant(path ...)      the latest of these moments, UTC
    day(path)              the day of a moment in the account's time zone (`timezone` of the settings)
    months(path)           how many months an {interval, interval_count} lasts; nothing for days and weeks
    label(word, path)      the word where the amount is there and is not zero

A path goes through nested objects. Amounts are in the `currency` nearest to them: beside the field, else further out,
else of the parent. What cannot be computed is passed on as it came, so that the column refuses it in a sentence.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact
from functools import partial, reduce
from typing import Any
from zoneinfo import ZoneInfo

from connectors.contract import Record
from connectors.errors import MappingError
from connectors.stripe.currencies import major

PARENT = "_parent"
_WRITTEN = re.compile(r"([a-z]+)\(([\w., ]+)\)")
# No exponent: that of a text might ask for more digits than there is room for.
_NUMBER = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?")
_MONTHS = {"month": 1, "year": 12}
# Sums never round: they have room for every digit, and would rather fail.
_EXACT = Context(prec=200, traps=[Inexact])
Compute = Callable[[Record], Any]


class Odd(ValueError):
    """A value that is not what the function takes."""


@dataclass(frozen=True)
class Expressions:
    """The computed fields of one object of a mapping."""

    fields: Mapping[str, Compute]

    @classmethod
    def among(cls, names: Sequence[str], zone: ZoneInfo) -> "Expressions":
        """Those of the fields that are computed. Raises MappingError for one that is not written as above."""
        return cls({name: _compiled(name, zone) for name in names if "(" in name})

    def added(self, record: Record) -> Record:
        """The record with its computed fields; without those for which it has no value."""
        if not self.fields:
            return record
        computed = {name: value for name, compute in self.fields.items() if (value := compute(record)) is not None}
        return {**record, **computed}


def _compiled(name: str, zone: ZoneInfo) -> Compute:
    written = _WRITTEN.fullmatch(name)
    function, paths = (written[1], [path.strip() for path in written[2].split(",")]) if written else ("", [])
    known: Mapping[str, tuple[Callable[..., Any], bool]] = {
        "money": (_money, len(paths) == 1),
        "net": (_net, len(paths) > 1),
        "instant": (_instant, bool(paths)),
        "day": (partial(_day, zone), len(paths) == 1),
        "months": (_months, len(paths) == 1),
        "label": (_label, len(paths) == 2),
    }
    compute, fits = known.get(function, (_money, False))
    if not fits or not all(paths):
        raise MappingError(f"The field {name!r} is computed by none of: {', '.join(known)}; or from too few fields.")

    def computed(record: Record) -> Any:
        try:
            return compute(record, *paths)
        except Odd as odd:
            return odd.args[0]

    return computed


def _money(record: Record, path: str) -> str | None:
    amounts = list(_amounts(record, path))
    return _written(record, path, _total(amounts)) if amounts else None


def _net(record: Record, path: str, *taxes: str) -> str | None:
    amounts = list(_amounts(record, path))
    listed = [tax for name in taxes for tax in _values(record, name) if _is_included(tax)]
    included = [amount.copy_negate() for tax in listed for amount in _amounts(tax, "amount")]
    return _written(record, path, _total([*amounts, *included])) if amounts else None


def _is_included(tax: Any) -> bool:
    """Whether a tax is part of the amount; said as `tax_behavior` since 2025-03-31, as `inclusive` before."""
    return isinstance(tax, Mapping) and (tax.get("tax_behavior") == "inclusive" or tax.get("inclusive") is True)


def _instant(record: Record, *paths: str) -> str | None:
    moments = [_moment(value) for path in paths for value in _values(record, path)]
    return max(moments).isoformat() if moments else None


def _day(zone: ZoneInfo, record: Record, path: str) -> str | None:
    moments = [_moment(value) for value in _values(record, path)]
    return moments[0].astimezone(zone).date().isoformat() if moments else None


def _months(record: Record, path: str) -> int | None:
    interval = next(iter(_values(record, path)), None)
    if not isinstance(interval, Mapping) or interval.get("interval") not in _MONTHS:
        return None
    count = interval.get("interval_count", 1)
    if type(count) is not int:
        raise Odd(count)
    return _MONTHS[interval["interval"]] * count


def _label(record: Record, word: str, path: str) -> str | None:
    return word if _total(list(_amounts(record, path))) else None


def _total(amounts: Sequence[Decimal]) -> Decimal:
    return reduce(_EXACT.add, amounts, Decimal(0))


def _written(record: Record, path: str, amount: Decimal) -> str:
    currency = _currency(record, path.split("."))
    if currency is None:
        raise Odd(f"{amount} of no currency")
    return format(major(amount, currency), "f")


def _currency(record: Record, steps: Sequence[str]) -> str | None:
    """The currency nearest to a field, looked for from the inside out, and then in the parent."""
    inner = record.get(steps[0]) if steps else None
    found = _currency(inner, steps[1:]) if isinstance(inner, Mapping) else None
    if found is None and isinstance(record.get("currency"), str):
        return str(record["currency"])
    parent = record.get(PARENT)
    return found or (_currency(parent, ()) if isinstance(parent, Mapping) else None)


def _amounts(record: Record, path: str) -> Iterator[Decimal]:
    """Raises Odd for a value that is no number written in digits."""
    for value in _values(record, path):
        if not (type(value) is int or (isinstance(value, str) and _NUMBER.fullmatch(value))):
            raise Odd(value)
        yield Decimal(value)


def _values(value: Any, path: str) -> list[Any]:
    """What a path leads to, through objects and into every member of a list; without nothings."""
    found = [value]
    for step in path.split("."):
        found = [inner for outer in found if isinstance(outer, Mapping) for inner in _members(outer.get(step))]
    return found


def _members(value: Any) -> list[Any]:
    members = value if isinstance(value, list) else [value]
    return [member for member in members if member is not None and member != ""]


def _moment(value: Any) -> datetime:
    if type(value) is not int:
        raise Odd(value)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise Odd(value) from None
