"""Sharing one amount among several: by weights, and over the months of a service period.

Every share is rounded to the currency's minor unit, and the shares add up to the amount exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from books.money import rounded
from checks.arithmetic.periods import month_day
from checks.arithmetic.proration import prorated
from checks.contract import Setting
from checks.errors import ArithmeticFault


class Spread(StrEnum):
    """How revenue is spread over a service period."""

    MONTHS = "months"  # every month the same, a month that is cut by its days
    DAYS = "days"  # every day the same


SPREAD = Setting(
    "spread", Spread.MONTHS.value, "Ratable revenue is the same every month; write days where every day is the same."
)


@dataclass(frozen=True)
class Recognition:
    """What of a schedule falls into [start, end), which lies in one calendar month."""

    start: date
    end: date
    amount: Decimal


def allocate(amount: Decimal, weights: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """The amount in proportion to stand-alone prices. The largest share, the first of them, takes the rounding.

    Raises ArithmeticFault where no weight is positive or one is negative.
    """
    total = sum(weights, Decimal(0))
    if total <= 0 or min(weights) < 0:
        raise ArithmeticFault("An amount is shared by stand-alone prices, of which none is negative and one positive.")
    shares = [rounded(prorated(amount, Fraction(weight) / Fraction(total)), currency) for weight in weights]
    largest = max(range(len(weights)), key=lambda place: weights[place])
    shares[largest] += amount - sum(shares, Decimal(0))
    return tuple(shares)


def schedule(
    amount: Decimal, start: date, end: date, currency: str, spread: Spread = Spread.MONTHS
) -> tuple[Recognition, ...]:
    """A ratable revenue schedule over [start, end), by calendar months; the last one takes the rounding."""
    months = list(_months(start, end))
    if not months:
        raise ArithmeticFault(f"Nothing can be recognized between {start} and {end}.")
    counts = [_count(first, last, spread) for first, last in months]
    total = sum(counts, Fraction(0))
    amounts = [rounded(prorated(amount, count / total), currency) for count in counts[:-1]]
    amounts.append(amount - sum(amounts, Decimal(0)))
    return tuple(Recognition(*month, share) for month, share in zip(months, amounts, strict=True))


def deferred(billed: Decimal, recognitions: Sequence[Recognition], until: date) -> Decimal:
    """What of the billed amount is not recognized yet at the end of the day before `until`."""
    return billed - sum((one.amount for one in recognitions if one.end <= until), Decimal(0))


def _months(start: date, end: date) -> list[tuple[date, date]]:
    found = []
    while start < end:
        following = min(month_day(start, 1, 1), end)
        found.append((start, following))
        start = following
    return found


def _count(start: date, end: date, spread: Spread) -> Fraction:
    days = (end - start).days
    if spread is Spread.DAYS:
        return Fraction(days)
    whole = (month_day(start, 1, 1) - start.replace(day=1)).days
    return Fraction(days, whole)
