"""The revenue schedules of an invoice line come to another amount than was allocated to it, or cover other days.

Why it matters: revenue is recognised by the schedule, not by the invoice. What the schedule says too much, too little
or for the wrong months is misstated in every period until somebody corrects it.

Usual cause: the line was changed after its schedule had been made, a schedule was typed in, or the dates of the
contract were taken where those of the service count.

How to fix: update the revenue arrangement from the invoice line, and catch up in the open period.

What it is not: a stand-alone price allocation that differs from the invoiced amount, because the schedule is compared
with what was allocated, the rounding of the last period, or a schedule that a credit memo made.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import days, overlap
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import erp_invoices
from checks.rows import candidates, listed, reference


def find(_: Books, __: Params) -> ir.Table:
    """Lines with a schedule that differs by more than rounding, or by a day.

    Where the dates differ, the amount is the part of the schedule that lies on days without service, or of the service
    that the schedule leaves out, whichever is more.
    """
    line = erp_invoices.SCHEDULED.table
    line = line.filter((line.schedules > 0) & (line.recognition.fill_null("over_time") == "over_time"))
    allocated = ibis.coalesce(line.allocated, line.amount.cast(line.allocated.type()))
    dated = line.period_start.notnull() & line.period_end.notnull() & line.since.notnull() & line.until.notnull()
    shared = overlap(line.period_start, line.period_end, line.since, line.until)
    service, spread = days(line.period_start, line.period_end), days(line.since, line.until)
    dated = dated & (service > 0) & (spread > 0)
    line = line.mutate(
        to_spread=allocated,
        service_days=dated.ifelse(service, 1),
        scheduled_days=dated.ifelse(spread, 1),
        missing_days=dated.ifelse(service - shared, 0),
        foreign_days=dated.ifelse(spread - shared, 0),
    )
    rounding = half_unit(line.currency) * line.schedules.cast("decimal(18, 0)")
    apart = ((line.scheduled - line.to_spread).abs() > rounding).fill_null(True)
    off = line.filter(apart | (line.missing_days > 0) | (line.foreign_days > 0))
    seen = listed(
        reference(off.system, "invoice_lines", off.key),
        reference(off.system, "revenue_schedules", off.schedule_key),
        reference(off.system, "invoices", off.invoice_key),
    )
    return candidates(
        off,
        "invoice_lines",
        "number",
        "since",
        "until",
        subject=ibis.coalesce(off.billing_key, off.key),
        period=(off.period_start, off.period_end),
        evidence=seen,
        line=off.key,
        allocated=off.to_spread,
        scheduled=off.scheduled,
        service_days=off.service_days,
        scheduled_days=off.scheduled_days,
        missing_days=off.missing_days,
        foreign_days=off.foreign_days,
    )


CHECK = Check(
    id="revenue_schedule_mismatch",
    doc=__doc__,
    pattern=Pattern.REVENUE,
    severity=Severity.S2,
    owners=(Owner.REVENUE_ACCOUNTING, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.LINE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=erp_invoices.NEEDS,
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of(
        "allocated",
        "scheduled",
        "max(abs(allocated - scheduled), allocated * max(missing_days / service_days, foreign_days / scheduled_days))",
    ),
    message=(
        "Of invoice {number}, {allocated} {currency} are to be recognised from {period_start} to {period_end}; the "
        "schedule has {scheduled} from {since} to {until}."
    ),
    find=find,
)
