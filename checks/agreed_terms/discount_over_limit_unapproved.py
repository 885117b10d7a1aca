"""A quote grants a discount above the limit, and nobody with the right to do so has approved it.

Why it matters: the limit is where a discount stops being the seller's decision. What is given away beyond it is given
away for the whole term, and the next renewal starts from there.

Usual cause: the quote was approved and then changed, the approval was given by mail and never recorded, or the
rule that asks for one was switched off.

How to fix: have the discount approved, with the rate in the record, or bring the price back within the limit before
the quote is ordered.

What it is not: a quote that is still being written or was rejected, a discount that was approved in another tool whose
approvals are imported, a line whose price an earlier contract fixed, or a discount of exactly the limit.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import days_later, months_begun
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
)
from checks.facts import approved
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference

_UNFINISHED = ("draft", "in review", "denied", "rejected")


def find(books: Books, params: Params) -> ir.Table:
    """Quotes with lines below (1 − limit) × list price that no approval covers; one finding per quote."""
    limit = ibis.literal(params.decimal("limit")).cast("decimal(24, 8)")
    line = _lines(books, params)
    line = line.filter(line.unit_price < product(line.list_price, 1 - limit))
    off = line.mutate(
        listed=product(product(line.list_price, line.quantity), line.months),
        agreed=product(product(line.unit_price, line.quantity), line.months),
        deepest=(line.list_price - line.unit_price).cast("float64") / line.list_price.cast("float64"),
    ).group_by("quote_key", quote_system="system")
    wide = "decimal(38, 9)"
    off = off.agg(
        listed=lambda t: t.listed.sum().cast(wide),
        agreed=lambda t: t.agreed.sum().cast(wide),
        deepest=lambda t: t.deepest.max(),
        lines=lambda t: collected(reference(t.system, "quote_lines", t.key)),
    )
    quote = of_customers(books, books.table("quotes", "crm"))
    quote = quote.filter(~quote.status.fill_null("").lower().isin(_UNFINISHED))
    quote = quote.drop("discount_rate")
    rows = quote.inner_join(off, [quote.system == off.quote_system, quote.key == off.quote_key])
    rows = rows.anti_join(_approved(books, rows), "key")
    return candidates(
        rows,
        "quotes",
        "number",
        subject=rows.key,
        evidence=listed(reference(rows.system, "quotes", rows.key)).concat(rows.lines),
        listed=rows.listed,
        agreed=rows.agreed,
        limit=limit,
        known_at=rows.modified_at,
    )


def _lines(books: Books, params: Params) -> ir.Table:
    """Lines of quotes with a list price and a term; those that change what was sold before keep its price."""
    line = books.table("quote_lines", "crm")
    line = line.filter(line.amends_line_key.isnull() & (line.list_price > 0))
    quote = books.table("quotes", "crm").select(h_system="system", h_key="key", h_start="start_date", h_end="end_date")
    joined = line.inner_join(quote, [line.system == quote.h_system, line.quote_key == quote.h_key])
    sold = books.table("products", "crm").select(p_system="system", p_key="key", p_charge="charge_type")
    joined = joined.left_join(sold, [joined.system == sold.p_system, joined.product_key == sold.p_key])
    start, end = (ibis.coalesce(joined[f"{at}_date"], joined[f"h_{at}"]) for at in ("start", "end"))
    term = months_begun(start, days_later(end, -1))
    months = end.isnull().ifelse(params.whole("open_term_months"), term)
    recurs = joined.p_charge.fill_null("recurring") == "recurring"
    price = ibis.coalesce(
        joined.unit_price, product(joined.list_price, 1 - joined.discount_rate).cast(joined.unit_price.type())
    )
    quantity = (joined.p_charge == "usage").fill_null(False).ifelse(0, joined.quantity.fill_null(1))
    return joined.mutate(months=recurs.ifelse(months, 1).cast("decimal(18, 0)"), unit_price=price, quantity=quantity)


def _approved(books: Books, rows: ir.Table) -> ir.Table:
    """Quotes with an approval of the quote, or of one of its lines, up to the discount that was given."""
    given = approved.approvals(books, "discount").select("record_key", "until_date", up_to="rate")
    line = books.table("quote_lines", "crm").select(q_line="key", q_quote="quote_key")
    of_line = given.inner_join(line, given.record_key == line.q_line)
    of_line = of_line.select("until_date", "up_to", record_key="q_quote")
    given = given.select("until_date", "up_to", "record_key").union(of_line)
    joined = rows.inner_join(given, rows.key == given.record_key)
    is_enough = joined.up_to.isnull() | (joined.up_to.cast("float64") >= joined.deepest - 0.00005)
    holds = joined.until_date.isnull() | (joined.until_date > joined.start_date)
    return joined.filter(is_enough & holds).select("key").distinct()


CHECK = Check(
    id="discount_over_limit_unapproved",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S3,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        Need("quotes", "crm"),
        Need("quote_lines", "crm"),
        Need("products", "crm").where_filled(),
        *approved.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting("limit", Decimal("0.15"), "A seller may grant 15 % of the list price; more needs an approval."),
        Setting("open_term_months", 12, "Months at stake where neither the line nor the quote has an end: a year."),
    ),
    absent_from=Need("approvals", "crm").where_filled(),
    arithmetic=Arithmetic.of("listed * (1 - limit)", "agreed"),
    message=(
        "Quote {number} comes to {actual} {currency} where {listed} is the list price and {expected} the least without "
        "an approval; there is none for it."
    ),
    find=find,
)
