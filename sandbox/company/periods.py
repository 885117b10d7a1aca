"""The billing calendar: bill days, billing periods, and how much of a period a part of it counts.

Periods are half-open. A part of a billing period counts its days over the days of the whole period.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from fractions import Fraction


def add_months(day: date, months: int) -> date:
    """The same day of a later (or earlier) month; the last day where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def bill_day_before(day: date, bill_day: int) -> date:
    """The last bill day on or before `day`; bill days go up to 28."""
    candidate = day.replace(day=bill_day)
    return candidate if candidate <= day else add_months(candidate, -1)


def bill_day_after(day: date, bill_day: int) -> date:
    """The first bill day on or after `day`."""
    candidate = bill_day_before(day, bill_day)
    return candidate if candidate == day else add_months(candidate, 1)


def months_between(start: date, end: date, bill_day: int) -> Fraction:
    """How many months a term counts: whole bill months, and actual days over the days of the others."""
    months = Fraction(0)
    month = bill_day_before(start, bill_day)
    while month < end:
        following = add_months(month, 1)
        months += Fraction((min(end, following) - max(start, month)).days, (following - month).days)
        month = following
    return months


def period_of(day: date, anchor: date, months: int) -> tuple[date, date]:
    """The whole billing period that holds the day; boundaries lie `months` apart, counted from `anchor`."""
    step = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    while add_months(anchor, step * months) > day:
        step -= 1
    return add_months(anchor, step * months), add_months(anchor, (step + 1) * months)


def months_billed(start: date, end: date, anchor: date, months: int) -> Fraction:
    """How many months [start, end), which lies within one billing period, is billed as."""
    first, last = period_of(start, anchor, months)
    return Fraction(months * (end - start).days, (last - first).days)


def periods(start: date, end: date | None, anchor: date, months: int, until: date) -> Iterator[tuple[date, date]]:
    """The billing periods of [start, end) that begin on or before `until`; the first and last may be cut."""
    day = start
    while day <= until and (end is None or day < end):
        following = period_of(day, anchor, months)[1]
        yield day, min(following, end) if end else following
        day = following
