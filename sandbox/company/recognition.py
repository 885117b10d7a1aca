"""When revenue is earned: a line's amount by calendar months, a month that is cut by its days.

Written apart from the product's own schedules on purpose: what is tested must not do its own sums.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.model import a_day_before
from sandbox.company.periods import add_months


@dataclass(frozen=True)
class Slice:
    """What of an amount is earned from `start` on, within one month."""

    start: date
    amount: Decimal


def slices(amount: Decimal, start: date, end: date, currency: str) -> list[Slice]:
    """The months of [start, end); the last one takes the rounding."""
    months: list[tuple[date, Fraction]] = []
    day = start
    while day < end:
        first = day.replace(day=1)
        following = add_months(first, 1)
        months.append((day, Fraction((min(end, following) - day).days, (following - first).days)))
        day = following
    whole = sum((share for _, share in months), Fraction(0))
    shares = [document(Fraction(amount) * share / whole, currency) for _, share in months[:-1]]
    shares.append(amount - sum(shares, Decimal(0)))
    return [Slice(first, share) for (first, _), share in zip(months, shares, strict=True)]


def posted_on(earned: date, documented: date) -> date:
    """The month's end at which a slice is recognised: never before its document is there."""
    return a_day_before(add_months(max(earned, documented).replace(day=1), 1))


def recognised(amount: Decimal, start: date, end: date, currency: str, documented: date, today: date) -> Decimal:
    """What of an amount was recognised before today."""
    parts = slices(amount, start, end, currency)
    return sum((part.amount for part in parts if posted_on(part.start, documented) < today), Decimal(0))
