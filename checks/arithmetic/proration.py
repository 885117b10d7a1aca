"""Proration: which share of a billing period a part of it counts, by the convention of the tenant.

The convention is the setting `day_count`. For 23 May to 15 June, of a monthly period that began on 15 May:

- actual: the actual days over the actual days of the whole period, 23 ÷ 31. Leap days count.
- actual/30: the actual days over a period whose months have 30 days, 23 ÷ 30.
- 30/360: both counted in months of 30 days, 22 ÷ 30.
- months_up: months that were begun count whole, 1 ÷ 1.
- seconds: like actual, by the instants themselves; for changes within a day.

Periods that are covered as a whole count 1 by every convention.
"""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

from checks.arithmetic.periods import Cycle
from checks.contract import Setting


class DayCount(StrEnum):
    """How the days of a part are counted against its period."""

    ACTUAL = "actual"
    ACTUAL_30 = "actual/30"
    THIRTY_360 = "30/360"
    MONTHS_UP = "months_up"
    SECONDS = "seconds"


DAY_COUNT = Setting(
    "day_count",
    DayCount.ACTUAL.value,
    "How your billing platform prorates: actual, actual/30, 30/360, months_up or seconds. It is a tenant's setting "
    "there, so read it from the platform.",
)


def share(start: date, end: date, period: tuple[date, date], months: int, day_count: DayCount) -> Fraction:
    """The share that [start, end), cut to the period of so many months, counts of it. Instants count by `seconds`."""
    first, last = max(start, period[0]), min(end, period[1])
    if first >= last:
        return Fraction(0)
    if (first, last) == period:
        return Fraction(1)
    match day_count:
        case DayCount.ACTUAL:
            return Fraction((last - first).days, (period[1] - period[0]).days)
        case DayCount.ACTUAL_30:
            return Fraction((last - first).days, 30 * months)
        case DayCount.THIRTY_360:
            return Fraction(thirty_day_months(first, last), 30 * months)
        case DayCount.MONTHS_UP:
            return Fraction(min(months_begun(first, last), months), months)
        case DayCount.SECONDS:
            part, whole = _instant(last) - _instant(first), _instant(period[1]) - _instant(period[0])
            return Fraction(part // part.resolution, whole // whole.resolution)


def periods_counted(cycle: Cycle, start: date, end: date, day_count: DayCount) -> Fraction:
    """How many billing periods of a cycle [start, end) counts: whole ones, and shares of the first and the last."""
    numbers = range(cycle.index(start), cycle.index(end) + 1)
    return sum(
        (share(start, end, (cycle.boundary(n), cycle.boundary(n + 1)), cycle.months, day_count) for n in numbers),
        Fraction(0),
    )


def prorated(amount: Decimal, counted: Fraction) -> Decimal:
    """The amount of a period times the periods counted, not rounded."""
    return amount * counted.numerator / counted.denominator


def changed(old: Decimal, new: Decimal, left: Fraction) -> tuple[Decimal, Decimal]:
    """A price that changes within a period billed in advance: the credit (negative) and the charge for what is left."""
    return -prorated(old, left), prorated(new, left)


def thirty_day_months(start: date, end: date) -> int:
    """Days of [start, end) where every month has 30."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * 30 + min(end.day, 30) - min(start.day, 30)


def months_begun(start: date, end: date) -> int:
    """Months of [start, end), the last one whole even where it was only begun."""
    cycle = Cycle(start, start.day, 1)
    whole = cycle.index(end)
    return whole if cycle.boundary(whole) == end else whole + 1


PRECISION = Setting("prorate_precision", 4, "Salesforce CPQ keeps a prorate multiplier with four decimals by default.")


def multiplier_by_day(days: int, term_days: int = 365, places: int = 4) -> Decimal:
    """Salesforce CPQ's prorate multiplier with the precision Day: days quoted ÷ days of the default term."""
    return _places(Fraction(days, term_days), places)


def multiplier_by_month(months: int, term_months: int = 12, places: int = 4) -> Decimal:
    """The same with the precision Month; a month that was begun is a whole one (`months_begun`)."""
    return _places(Fraction(months, term_months), places)


def _places(value: Fraction, places: int) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _instant(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)
