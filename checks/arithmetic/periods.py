"""Billing periods: where they begin and end, when they fall due, in Python and in SQL.

A cycle is a month, a day and a length. Its boundaries lie on that day of every `months`-th month, on the last
day where a month is shorter, always counted from the same month: 31 January, 28 February, 31 March. Period n is
[boundary n, boundary n+1). A line's first and last period are cut to the line's own dates.

- A line that bills monthly follows the account's bill day where it has one. Any other line follows the day on
  which its subscription or contract began, so that lines that were added later end with the others.
- In advance, a period is due on its first day; in arrears, on the day after its last.
- A period that is cut counts its actual days over the actual days of the whole period.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import ibis
import ibis.expr.types as ir

FOREVER = date(9999, 12, 31)  # stands for «no end» inside expressions


@dataclass(frozen=True)
class Cycle:
    """The boundaries of billing periods, as dates."""

    first: date
    day: int
    months: int

    @classmethod
    def of(cls, began: date, bill_day: int | None, months: int) -> "Cycle":
        """The cycle of a line; `began` is the day on which its subscription or contract, else the line, began."""
        return cls(began, bill_day if months == 1 and bill_day else began.day, months)

    def boundary(self, n: int) -> date:
        """The first day of period n."""
        return month_day(self.first, n * self.months, self.day)

    def index(self, on: date) -> int:
        """The number of the period that holds the day."""
        apart = (on.year - self.first.year) * 12 + on.month - self.first.month
        return (apart - (month_day(self.first, apart, self.day) > on)) // self.months


def month_day(first: date, months: int, day: int) -> date:
    """The day of the month that lies `months` after that of `first`; its last day where it is shorter."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def prorated(amount: Decimal, covered: tuple[date, date], period: tuple[date, date]) -> Decimal:
    """The share of a period's amount that falls on the covered days, not rounded."""
    days = (min(covered[1], period[1]) - max(covered[0], period[0])).days
    return amount * max(days, 0) / (period[1] - period[0]).days


@dataclass(frozen=True)
class CycleColumns:
    """The same as `Cycle`, as columns of a table."""

    first: ir.DateValue
    day: ir.IntegerValue
    months: ir.IntegerValue

    @classmethod
    def of(cls, began: ir.DateValue, bill_day: ir.IntegerValue, months: ir.IntegerValue) -> "CycleColumns":
        return cls(began, (months == 1).ifelse(bill_day.fill_null(began.day()), began.day()), months)

    def boundary(self, n: ir.IntegerValue) -> ir.DateValue:
        # Counted from January, which has all 31 days: adding months to a date cuts to the month's last day.
        january = ibis.date(self.first.year(), ibis.literal(1), self.day)
        return _as_date(january + (self.first.month() - 1 + n * self.months).as_interval("M"))

    def index(self, on: ir.DateValue) -> ir.IntegerValue:
        apart = (on.year() - self.first.year()) * 12 + on.month() - self.first.month()
        is_last_of_month = (on + ibis.interval(days=1)).day() == 1
        not_reached = (self.day > on.day()) & ~is_last_of_month
        return (apart - not_reached.cast("int64")) // self.months


def _as_date(day: ir.DateValue) -> ir.DateValue:
    """A date plus an interval is an instant in DuckDB, whatever Ibis thinks; the detour keeps the cast."""
    return day.cast("timestamp").cast("date")


def days(start: ir.DateValue, end: ir.DateValue) -> ir.IntegerValue:
    """How many days [start, end) has; negative where it ends before it starts."""
    return end.delta(start, unit="day")


def overlap(start: ir.DateValue, end: ir.DateValue, other: ir.DateValue, until: ir.DateValue) -> ir.IntegerValue:
    """How many days [start, end) and [other, until) share."""
    return ibis.greatest(days(ibis.greatest(start, other), ibis.least(end, until)), 0)


def months_begun(since: ir.DateValue, on: ir.DateValue) -> ir.IntegerValue:
    """How many months, counted from `since`, have begun by `on`; at least one."""
    cycle = CycleColumns.of(since, ibis.null("int64"), ibis.literal(1))
    return ibis.greatest(cycle.index(on) + 1, 1)


def due_date(timing: ir.StringValue, start: ir.DateValue, end: ir.DateValue) -> ir.DateValue:
    """The day on which a period is billed; a line that does not say bills in advance."""
    return (timing.fill_null("advance") == "arrears").ifelse(end, start)


def days_later(day: ir.DateValue, count: ir.IntegerValue | int) -> ir.DateValue:
    """The day `count` days later, as a date."""
    span = (ibis.literal(count) if isinstance(count, int) else count).as_interval("D")
    return _as_date(day + span)


def month_of(day: ir.DateValue) -> ir.DateValue:
    """The first day of the day's month."""
    return ibis.date(day.year(), day.month(), ibis.literal(1))


def months_later(day: ir.DateValue, count: int) -> ir.DateValue:
    """The same day `count` months later, or the month's last day; earlier where the count is negative."""
    return _as_date(day + ibis.interval(months=count))


def quarter_start(day: ir.DateValue) -> ir.DateValue:
    """The first day of the calendar quarter that holds the day."""
    return ibis.date(day.year(), (day.quarter() - 1) * 3 + 1, ibis.literal(1))


def midnight(day: ir.DateValue) -> ir.TimestampValue:
    """The instant at which a day begins, UTC."""
    return day.cast("timestamp('UTC', 6)")


def working_days_later(day: ir.DateValue, count: int) -> ir.DateValue:
    """The day `count` weekdays later; a weekend counts as the Friday before it."""
    weekday = day.day_of_week.index()
    friday = ibis.greatest(weekday - 4, 0)
    weekends = (ibis.least(weekday, 4) + count) // 5
    return days_later(day, weekends * 2 + count - friday)
