"""Invoiced amounts per billing period of a contract line, beside what the terms come to for the same days.

All recurring lines of a period belong together: the first charge, and the credit and the new charge after a change
within the period. Lines that repeat another are left out, since their own check reports them.

A line whose days are whole billing periods by its own first day stands for itself; any other belongs to the period
of its subscription's cycle that holds its first day.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks import billed, credits, fx, terms
from checks.periods import FOREVER, CycleColumns, days, days_later, overlap
from checks.relation import Relation
from checks.rows import collected, reference

KEY = ("contract_line_key", "period_start")


def _billed(books: Books) -> ir.Table:
    """One row per contract line and billing period that was invoiced.

    `billed` is in the invoices' currency with `rate` into the contract's (`currency`); both null where a rate is
    unknown. [`since`, `until`) are the days billed, cut where the line or its subscription was cancelled
    (`is_cancelled`). `part_a_day` is what a day of the lines costs that bill only a part of a period.
    """
    line = _lines()
    rated = fx.with_rate(books, line, "b_currency", "currency", "invoice_date")
    order = [rated.status == "draft", rated.invoice_date, rated.key]
    one_rate = (rated.rate.min() == rated.rate.max()) & (rated.b_currency.nunique() == 1)
    exact = "decimal(38, 8)"
    total = product(rated.amount, rated.rate)
    unknown = rated.rate.isnull().any()
    grouped = rated.group_by(KEY).agg(
        system=rated.system.max(),
        key=rated.key.last(order_by=order),
        invoice_key=rated.invoice_key.last(order_by=order),
        number=rated.number.last(order_by=order),
        account_key=rated.account_key.max(),
        currency=rated.currency.max(),
        product_code=rated.product_code.max(),
        timing=rated.timing.max(),
        period_end=rated.period_end.max(),
        months=rated.months.max(),
        since=rated.since.min(),
        until=rated.until.max(),
        cancelled=rated.cancelled.min(),
        billed=unknown.ifelse(
            ibis.null(exact), one_rate.ifelse(rated.amount.sum().cast(exact), total.sum().cast(exact))
        ),
        rate=unknown.ifelse(ibis.null("decimal(24, 8)"), one_rate.ifelse(rated.rate.max(), 1)),
        lines=rated.count(),
        part_a_day=rated.part_a_day.sum().abs(),
        invoiced=collected(reference(rated.system, "invoice_lines", rated.key)),
        invoices=rated.invoice_key.collect(distinct=True),
    )
    return grouped.mutate(
        is_cancelled=grouped.until > grouped.cancelled,
        until=ibis.greatest(ibis.least(grouped.until, grouped.cancelled), grouped.since),
        period_days=days(grouped.period_start, grouped.period_end),
    )


BILLED = Relation("billed_periods", _billed)


def _lines() -> ir.Table:
    """Recurring invoice lines of recurring contract lines, each with its billing period."""
    line = billed.LINES.table
    line = line.filter(
        line.kind.isin(("recurring", "discount", "credit"))
        & (line.s_charge_type.fill_null("recurring") == "recurring")
        & line.since.notnull()
    )
    line = line.rename(b_currency="currency").drop("product_code").anti_join(billed.REPEATED.table, ["system", "key"])
    agreed = terms.LINES.table.filter(lambda t: t.charge_type == "recurring").select(
        "product_code", g_key="key", timing="billing_timing", g_currency="currency", cancelled_on="cancelled_on"
    )
    line = line.inner_join(agreed, line.contract_line_key == agreed.g_key)
    line = line.mutate(
        currency=ibis.coalesce(line.g_currency, line.b_currency),
        cancelled=ibis.least(line.cancelled_on, line.s_cancelled_date.fill_null(FOREVER)),
        own_months=CycleColumns.of(line.since, ibis.null("int64"), ibis.literal(1)).index(line.until),
    )
    own = CycleColumns.of(line.since, ibis.null("int64"), ibis.literal(1))
    is_whole = (own.boundary(line.own_months) == line.until) & (line.own_months % line.cycle_months == 0)
    cycle = CycleColumns.of(line.cycle_began, line.cycle_bill_day, line.cycle_months)
    line = line.mutate(
        is_whole=is_whole & (line.own_months > 0),
        first=cycle.index(line.since),
        last=cycle.index(days_later(line.until, -1)),
    )
    cycle = CycleColumns.of(line.cycle_began, line.cycle_bill_day, line.cycle_months)
    a_day = (line.amount.cast("float64") / ibis.greatest(days(line.since, line.until), 1)).cast("decimal(38, 8)")
    return line.mutate(
        period_start=line.is_whole.ifelse(line.since, cycle.boundary(line.first)),
        period_end=line.is_whole.ifelse(line.until, cycle.boundary(line.last + 1)),
        months=line.is_whole.ifelse(line.own_months, (line.last - line.first + 1) * line.cycle_months),
        part_a_day=line.is_whole.ifelse(0, a_day),
    )


def with_credits(books: Books, rows: ir.Table) -> ir.Table:
    """`rows` with `credited` and `memos`: the credit memos on the invoices of the period."""
    named = rows.select(*KEY, "system", "currency", invoice=rows.invoices.unnest())
    return credits.with_credits(books, rows, KEY, named)


def with_terms(rows: ir.Table) -> ir.Table:
    """`rows` with what the contract says for their days.

    `quantity` at `unit_price` for `price_months` holds on all `days`; `added` is quantity × price × days of what
    holds on some of them, or at another price: changes within the period, and components of a bundle. `last_start`
    is the latest beginning of anything that counts.
    """
    row = terms.ROWS.table
    priced = terms.LINES.table.select(p_key="key", unit_price="unit_price", price_months="price_months")
    row = row.rename(r_system="system", r_price="unit_price", r_months="price_months", r_quantity="quantity")
    row = row.rename(r_until="until").drop("modified_at", "cancelled_on", "quote_line_key")
    joined = rows.inner_join(priced, rows.contract_line_key == priced.p_key)
    joined = joined.inner_join(row, joined.contract_line_key == row.base_key)
    shared = overlap(joined.since, joined.until, joined.begins, joined.r_until)
    joined = joined.mutate(shared=shared, days=ibis.greatest(days(joined.since, joined.until), 0))
    is_plain = joined.same_price & (joined.shared == joined.days)
    part = product(product(joined.r_quantity, joined.r_price), joined.shared.cast("decimal(18, 0)"))
    unscaled = (joined.shared > 0) & (joined.r_months != joined.price_months)
    kept = [name for name in joined.columns if name in (*rows.columns, "days")]
    first = {name: joined[name].arbitrary() for name in kept if name not in KEY}
    return joined.group_by(KEY).agg(
        **first,
        unit_price=joined.unit_price.max(),
        price_months=joined.price_months.max(),
        quantity=is_plain.ifelse(joined.r_quantity, 0).sum().cast("decimal(38, 6)"),
        added=unscaled.any().ifelse(ibis.null(part.type()), is_plain.ifelse(0, part).sum().cast(part.type())),
        last_start=(joined.shared > 0).ifelse(joined.begins, ibis.null("date")).max(),
        agreed=collected(
            (joined.shared > 0).ifelse(
                reference(joined.r_system, "contract_lines", joined.row_key), ibis.null("string")
            )
        ),
    )
