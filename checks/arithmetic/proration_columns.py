"""Proration in SQL: the same as `proration.share`, as two whole numbers, so that nothing is divided."""

import ibis
import ibis.expr.types as ir

from checks.arithmetic.periods import CycleColumns, days
from checks.arithmetic.proration import DayCount


def share(
    start: ir.DateValue,
    end: ir.DateValue,
    period: tuple[ir.DateValue, ir.DateValue],
    months: ir.IntegerValue,
    day_count: DayCount,
) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    """(counted, whole): [start, end), which lies in the period of so many months, counts counted ÷ whole of it."""
    is_whole = (start == period[0]) & (end == period[1])
    match day_count:
        case DayCount.ACTUAL | DayCount.SECONDS:
            counted, whole = days(start, end), days(*period)
        case DayCount.ACTUAL_30:
            counted, whole = days(start, end), months * 30
        case DayCount.THIRTY_360:
            counted, whole = _thirty_day_months(start, end), months * 30
        case DayCount.MONTHS_UP:
            counted, whole = ibis.least(_months_begun(start, end), months), months
    return is_whole.ifelse(1, counted), is_whole.ifelse(1, whole)


def _thirty_day_months(start: ir.DateValue, end: ir.DateValue) -> ir.IntegerValue:
    months = (end.year() - start.year()) * 12 + end.month() - start.month()
    return months * 30 + ibis.least(end.day(), 30) - ibis.least(start.day(), 30)


def _months_begun(start: ir.DateValue, end: ir.DateValue) -> ir.IntegerValue:
    cycle = CycleColumns.of(start, ibis.null("int64"), ibis.literal(1))
    whole = cycle.index(end)
    return (cycle.boundary(whole) == end).ifelse(whole, whole + 1)
