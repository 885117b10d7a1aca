"""The billing calendar: bill days, billing periods, and how many months a period counts.

Periods are half-open. A partial month counts its days over the days of the month that runs from bill day to
bill day; so 17 March to 1 April is 15/31 of a month for an account that is billed on the first.
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
    """How many months [start, end) counts: whole bill months, and actual days over the days of the others."""
    months = Fraction(0)
    month = bill_day_before(start, bill_day)
    while month < end:
        following = add_months(month, 1)
        months += Fraction((min(end, following) - max(start, month)).days, (following - month).days)
        month = following
    return months


def periods(start: date, end: date | None, anchor: date, months: int, until: date) -> Iterator[tuple[date, date]]:
    """The billing periods of [start, end) that begin on or before `until`.

    Their boundaries lie `months` apart, counted from `anchor`; the first and the last period may be shorter.
    """
    step = 0
    while add_months(anchor, (step + 1) * months) <= start:
        step += 1
    day = start
    while day <= until and (end is None or day < end):
        following = add_months(anchor, (step + 1) * months)
        yield day, min(following, end) if end else following
        day, step = following, step + 1
