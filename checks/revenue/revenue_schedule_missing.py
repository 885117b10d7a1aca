"""An invoice line whose revenue is earned over time has no revenue schedule in the ERP.

Why it matters: without a schedule the amount is never recognised, or all of it at once. Both misstate the month,
and it shows only when the roll-forward of deferred revenue breaks at the close.

Usual cause: the item has no recognition rule, or the job that makes the schedules failed for this invoice.

How to fix: set the rule on the item and create the revenue arrangement of the line before the period is closed.

What it is not: an item whose revenue is earned at once, a line worth nothing, a draft, or an invoice that was
posted within the time that the schedules may take.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import days_later
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Lines of posted ERP invoices, earned over time, without a live schedule."""
    invoice = books.table("invoices", "erp").filter(lambda t: t.status.fill_null("posted") == "posted")
    invoice = invoice.select(
        i_system="system", i_key="key", number="number", i_account="account_key", i_currency="currency",
        posted_at="posted_at", invoice_date="invoice_date",
    )  # fmt: skip
    line = books.table("invoice_lines", "erp")
    line = line.filter((line.recognition == "over_time") & (line.amount > 0))
    joined = line.inner_join(invoice, [line.system == invoice.i_system, line.invoice_key == invoice.i_key])
    scheduled = books.table("revenue_schedules", "erp").select(r_system="system", r_line="invoice_line_key")
    off = joined.anti_join(scheduled, [joined.system == scheduled.r_system, joined.key == scheduled.r_line])
    off = off.mutate(
        account_key=ibis.coalesce(off.account_key, off.i_account),
        currency=ibis.coalesce(off.currency, off.i_currency),
        stamp=ibis.coalesce(off.posted_at, off.modified_at),
    ).cross_join(_closing(books, params.whole("close_days")))
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        subject=ibis.coalesce(off.billing_key, off.key),
        period=(off.period_start, off.period_end),
        evidence=listed(
            reference(off.system, "invoice_lines", off.key), reference(off.system, "invoices", off.invoice_key)
        ),
        invoice=off.invoice_key,
        line=off.key,
        known_at=off.stamp,
        severity=off.is_closing.ifelse(Severity.S1.value, Severity.S2.value),
        line_amount=off.amount,
    )


def _closing(books: Books, close_days: int) -> ir.Table:
    """One row: whether an accounting period that is still open has just ended."""
    period = books.table("accounting_periods", "erp").cross_join(books.request.select("today"))
    is_closing = (
        ~period.closed.fill_null(False)
        & (period.end_date <= period.today)
        & (period.today < days_later(period.end_date, close_days))
    )
    return period.agg(is_closing=is_closing.any().fill_null(False))


CHECK = Check(
    id="revenue_schedule_missing",
    doc=__doc__,
    pattern=Pattern.REVENUE,
    severity=Severity.S2,
    owners=(Owner.REVENUE_ACCOUNTING, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.LINE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        Need("invoice_lines", "erp"),
        Need("invoices", "erp"),
        Need("revenue_schedules", "erp"),
        Need("accounting_periods", "erp").where_filled(),
    ),
    settings=(Setting("close_days", 7, "Days after the end of an open period in which it is being closed."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("revenue_schedules", "erp"),
    lag_minutes=1440,
    arithmetic=Arithmetic.of("line_amount", "0"),
    message="Invoice {number} bills {line_amount} {currency} that is earned over time, and no schedule recognises it.",
    find=find,
)
