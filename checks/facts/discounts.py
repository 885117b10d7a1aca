"""Discounts that were granted for a time, beyond what is in the price.

The CRM's are those that count; where no CRM holds any, billing's own do. One applies to every billing period on whose
first day it is in force, as a whole. A fraction is taken off what the line and its changes cost, an amount off each
billing period.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import FOREVER
from checks.contract import Need
from checks.facts import terms
from checks.relation import Relation

NEEDS = (Need("discounts", "crm").where_filled(), Need("discounts", "billing").where_filled())


def _granted(books: Books) -> ir.Table:
    """One row per discount and contract line: `line`, `name`, `rate` or `amount`, [`starts`, `ends`), `stackable`."""
    role = "crm" if books.systems("discounts", "crm") else "billing"
    known = books.table("discounts", role)
    sold = books.table("subscription_lines", "billing").select(s_key="key", s_line="contract_line_key")
    joined = known.left_join(sold, known.subscription_line_key == sold.s_key)
    return joined.mutate(line=ibis.coalesce(joined.contract_line_key, joined.s_line)).select(
        "line", "name", "rate", "amount", g_system="system", g_key="key",
        starts=ibis.coalesce(joined.start_date, ibis.date(1900, 1, 1)),
        ends=joined.end_date.fill_null(FOREVER),
        stackable=joined.stackable.fill_null(True),
    )  # fmt: skip


GRANTED = Relation("granted_discounts", _granted)


def _pieces(_: Books) -> ir.Table:
    """What each discount takes off each row of its line: negative prices, for the days of the row.

    `weight` is by how much the row's price is multiplied, null for a discount of an amount.
    """
    granted = GRANTED.table
    row = terms.PRICED.table
    line = terms.LINES.table.select("billing_months", n_key="key")
    joined = granted.inner_join(row, granted.line == row.base_key)
    joined = joined.inner_join(line, joined.line == line.n_key)
    wanted = (
        "g_system", "g_key", "base_key", "own_key", "row_key", "begins", "until", "starts", "ends", "rise", "risen_on",
        "quantity", "unit_price", "price_months", "weight",
    )  # fmt: skip
    of_rate = joined.filter(joined.rate.notnull() & (joined.rate != 0))
    of_rate = of_rate.mutate(
        weight=(-of_rate.rate).cast("decimal(24, 8)"),
        unit_price=(-product(of_rate.unit_price, of_rate.rate)).cast("decimal(24, 8)"),
    )
    once = joined.filter(joined.rate.isnull() & joined.amount.notnull() & (joined.row_key == joined.own_key))
    # The share of a month may have no end; eight places are finer than any rounding.
    share = once.amount.cast("float64") * once.price_months / once.billing_months
    once = once.mutate(
        weight=ibis.null("decimal(24, 8)"),
        unit_price=(-share).cast("decimal(24, 8)"),
        quantity=ibis.literal(1).cast(row.quantity.type()),
    )
    return of_rate.select(*wanted).union(once.select(*wanted))


PIECES = Relation("discount_pieces", _pieces)
