"""What each customer is billed next: the draft that waits, else what its recurring lines come to on the next bill date.

Amounts are without tax and, where there is no draft, without usage, which nobody knows yet.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.arithmetic.periods import CycleColumns, days, due_date
from checks.contract import Need
from checks.facts import due_periods, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.relation import Relation

NEEDS = (
    Need("invoices", "billing"),
    *(need.where_filled() for need in (*subscribed.NEEDS, *terms.NEEDS)),
    Need("billing_schedules", "billing").where_filled(),
    *CUSTOMER_NEEDS,
)

# What a row's terms come to.
WORTH = "yearly_months / 12 + cut_yearly_months * cut_days / (12 * cut_of)"
TERMS = ("yearly_months", "cut_yearly_months", "cut_days", "cut_of")


def _rows(books: Books) -> ir.Table:
    """One row per customer and `currency`, with the day `bills_on` and what proves it, `source` as evidence.

    The amount is `WORTH`, of which the second part is that of periods which a line's start or end cuts short. Where
    the lines of one invoice are cut differently, whole periods count.
    """
    draft = _drafts(books)
    planned = _planned(books).anti_join(draft, ["account_key", "currency"])
    return draft.union(planned.select(*draft.columns))


def _drafts(books: Books) -> ir.Table:
    invoice = books.table("invoices", "billing").filter(lambda t: (t.status == "draft") & t.account_key.notnull())
    untaxed = invoice.total.fill_null(0) - invoice.tax.fill_null(0)
    grouped = invoice.group_by("account_key", "currency").agg(
        bills_on=invoice.invoice_date.min(),
        source=(invoice.system + "/invoices/" + invoice.key).max(),
        amount=untaxed.sum().cast("decimal(38, 9)"),
    )
    nothing = ibis.literal(0).cast("decimal(38, 9)")
    return grouped.select(
        "account_key",
        "currency",
        "bills_on",
        "source",
        yearly_months=product(grouped.amount, ibis.literal(12)),
        cut_yearly_months=nothing,
        cut_days=ibis.literal(1).cast("int64"),
        cut_of=ibis.literal(1).cast("int64"),
    )


def _planned(books: Books) -> ir.Table:
    line = _next_periods(books)
    first = line.bills_on.min().over(group_by=[line.account_key, line.currency])
    line = line.mutate(first=first).filter(lambda t: t.bills_on == t["first"])
    line = line.mutate(
        money=product(per_year(line.quantity, line.unit_price, line.price_months), line.billing_months),
        is_cut=line.days < line.period_days,
    )
    shape = line.is_cut.ifelse(line.days * 1000 + line.period_days, ibis.null("int64"))
    nothing = ibis.literal(0).cast("decimal(38, 9)")
    of = line.mutate(shape=shape).group_by("account_key", "currency", "bills_on")
    grouped = of.agg(
        source=(line.system + f"/{due_periods.entity(books)}/" + line.key).max(),
        whole=line.is_cut.ifelse(nothing, line.money).sum().cast("decimal(38, 9)"),
        cut=line.is_cut.ifelse(line.money, nothing).sum().cast("decimal(38, 9)"),
        shapes=lambda t: t["shape"].nunique(),
        shape=lambda t: t["shape"].max(),
    )
    is_alike = grouped["shapes"] == 1
    return grouped.select(
        "account_key",
        "currency",
        "bills_on",
        "source",
        yearly_months=is_alike.ifelse(grouped.whole, grouped.whole + grouped.cut).cast("decimal(38, 9)"),
        cut_yearly_months=is_alike.ifelse(grouped.cut, nothing),
        cut_days=is_alike.ifelse(grouped["shape"] // 1000, 1).cast("int64"),
        cut_of=is_alike.ifelse(grouped["shape"] % 1000, 1).cast("int64"),
    )


def _next_periods(books: Books) -> ir.Table:
    """The first period of every line that is due today or later and not billed yet, priced as on its first day."""
    line = due_periods.recurring(books)
    line = line.filter(line.account_key.notnull() & line.currency.notnull())
    line = line.cross_join(books.request.select("today"))
    cycle = CycleColumns.of(line.began, line.bill_day, line.billing_months)
    around = line.mutate(place=cycle.index(line.today), beside=ibis.range(-1, 2).unnest())
    around = around.mutate(n=around.place + around.beside)
    cycle = CycleColumns.of(around.began, around.bill_day, around.billing_months)
    around = around.mutate(begins=cycle.boundary(around.n), follows=cycle.boundary(around.n + 1))
    around = around.mutate(
        since=ibis.greatest(around.begins, around.starts), until=ibis.least(around.follows, around.ends)
    )
    around = around.mutate(
        bills_on=due_date(around.timing, around.since, around.until),
        days=days(around.since, around.until),
        period_days=days(around.begins, around.follows),
    )
    is_billed = (around.until <= around.charged_through).fill_null(around.bills_on <= around.today)
    ahead = around.filter((around.days > 0) & (around.bills_on >= around.today) & ~is_billed)
    place = ibis.row_number().over(group_by=[ahead.system, ahead.key], order_by=[ahead.since])
    return due_periods.priced(books, ahead.mutate(place=place).filter(lambda t: t.place == 0))


ROWS = Relation("next_invoices", _rows)


def each(books: Books) -> ir.Table:
    """Every draft of a customer with its `b_invoice`; where there is none, what is billed first, without one.

    The columns of `ROWS` with `b_` before their names, and `b_place`, which counts a customer's rows from 0.
    """
    planned = first().mutate(b_invoice=ibis.null("string"), b_place=ibis.literal(0).cast("int64"))
    invoice = books.table("invoices", "billing").filter(lambda t: (t.status == "draft") & t.account_key.notnull())
    place = ibis.row_number().over(group_by=invoice.account_key, order_by=[invoice.invoice_date, invoice.key])
    untaxed = invoice.total.fill_null(0) - invoice.tax.fill_null(0)
    nothing = ibis.literal(0).cast("decimal(38, 9)")
    draft = invoice.select(
        b_account_key="account_key",
        b_currency="currency",
        b_bills_on="invoice_date",
        b_source=invoice.system + "/invoices/" + invoice.key,
        b_yearly_months=product(untaxed, ibis.literal(12)),
        b_cut_yearly_months=nothing,
        b_cut_days=ibis.literal(1).cast("int64"),
        b_cut_of=ibis.literal(1).cast("int64"),
        b_invoice="key",
        b_place=place.cast("int64"),
    )
    planned = planned.anti_join(draft, "b_account_key")
    return draft.union(planned.select(*draft.columns))


def first() -> ir.Table:
    """One row per customer, the currency that is billed first; the columns of `ROWS` with `b_` before their names."""
    bill = ROWS.table
    place = ibis.row_number().over(group_by=bill.account_key, order_by=[bill.bills_on, bill.currency])
    bill = bill.mutate(place=place).filter(lambda t: t.place == 0)
    return bill.select(**{f"b_{name}": name for name in ROWS.schema.names})
