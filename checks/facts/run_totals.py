"""What was invoiced on a day beside what fell due on it: per billing system, currency and invoice date."""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Params
from checks.facts import billed, due_periods, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers

NEEDS = (*billed.NEEDS, *(need.where_filled() for need in terms.NEEDS), *CUSTOMER_NEEDS)
_SUM = "decimal(38, 4)"


def totals(books: Books, _params: Params) -> ir.Table:
    """One row per (system, currency, day) with live invoices, up to the day that is asked about.

    `actual` is the sum of their lines without tax, `scheduled` that of the periods that were due on the day, and
    `invoices` their number. What recurs is in both, so that month-ends and annual contracts leave no peak between.
    """
    actual, due = _invoiced(books), _scheduled(books)
    joined = actual.left_join(
        due,
        [actual.system == due.d_system, actual.currency == due.d_currency, actual.day == due.due],
    )
    return joined.mutate(scheduled=joined.scheduled.fill_null(0).cast(_SUM)).select(
        "system", "currency", "day", "actual", "scheduled", "invoices"
    )


def _invoiced(books: Books) -> ir.Table:
    line = of_customers(books, billed.LINES.table)
    line = line.filter(line.invoice_date.notnull() & line.currency.notnull())
    line = line.cross_join(books.request.select("target_date")).filter(lambda t: t.invoice_date <= t.target_date)
    return line.group_by("system", "currency", day="invoice_date").agg(
        actual=lambda t: t.amount.fill_null(0).sum().cast(_SUM), invoices=lambda t: t.invoice_key.nunique()
    )


def _scheduled(books: Books) -> ir.Table:
    """A forecast, not a claim: each period is divided in SQL and rounded to four places, and only then summed."""
    period = due_periods.priced(books, due_periods.due(books))
    exact = [period[name].cast("float64") for name in ("quantity", "unit_price", "billing_months", "days")]
    whole = period.price_months.cast("float64") * period.period_days.cast("float64")
    value = (exact[0] * exact[1] * exact[2] * exact[3] / whole).round(4).cast(_SUM)
    system = period.system
    if due_periods.entity(books) == "contract_lines":
        system = ibis.literal(next(iter(books.systems("invoices", "billing")), ""))
    return (
        period.mutate(d_system=system, value=value)
        .group_by("d_system", d_currency="currency", due="due")
        .agg(scheduled=lambda t: t["value"].sum())
    )
