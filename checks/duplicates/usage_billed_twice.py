"""The same usage stands on two live invoice lines.

Why it matters: the customer pays twice for what was used once, and finds it by adding up two invoices.

Usual cause: an invoice was made within the period and the meter was not set back, so that the invoice at its end
counted from the beginning again; or a rerun took events that an earlier run had billed.

How to fix: take the repeated usage off the draft, or credit it where the invoice has been posted, and mark the events
as billed.

What it is not: a line that was taken back and billed again, an amount that a credit memo has given back, a second line
of the same days for usage that arrived late, or the usage of a test account.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.rating_columns import EXACT
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
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import credits, metered, usage_rated, usage_twice
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference, some

_LINE = ("system", "key", "n", "b_key")


def find(books: Books, params: Params) -> ir.Table:
    """Lines with events of an earlier line, and the last of several lines whose days overlap."""
    rows = _fed().union(_overlapping())
    period = usage_rated.PERIODS.table.drop("bill_amount", "bills", "made_at", "used", "in_time")
    rows = of_customers(books, rows.inner_join(period, list(metered.KEY)))
    rows = usage_rated.with_rated(rows, params, once="rated_once")
    off = rows.filter((rows.billed - rows.rated_once > half_unit(rows.currency)).fill_null(True))
    off = usage_rated.with_tiers(off, params)
    named = off.select(*_LINE, "currency", invoice="invoice_key")
    off = credits.with_credits(books, off, _LINE, named)
    seen = listed(
        reference(off.system, "invoice_lines", off.b_key), reference(off.system, "subscription_lines", off.key)
    )
    return candidates(
        off.mutate(line_key=off.key, key=off.b_key),
        "invoice_lines",
        "invoice_number",
        "said",
        "once",
        *usage_rated.PRICE_COLUMNS,
        subject=off.key + "/" + off.said.substr(0, 6),
        period=(off.since, off.until),
        evidence=seen.concat(some(off.seen)).concat(off.memos),
        invoice=off.invoice_key,
        line=off.b_key,
        product=ibis.coalesce(off.name, off.product_code, "usage"),
        billed=off.billed,
        credited=off.credited,
    )


def _fed() -> ir.Table:
    """One row per line: what it bills, and the quantity that is left without the repeated events."""
    fed = usage_twice.FED.table
    line = metered.BILLED.table.select(
        *metered.KEY, "b_system", "b_key", "invoice_key", "quantity", "amount", invoice_number="number"
    )
    both = line.inner_join(fed, ["b_system", "b_key"])
    return both.select(
        *_LINE,
        "invoice_key",
        "invoice_number",
        once=ibis.greatest(both.quantity - both.repeated, 0).cast(metered.QUANTITY),
        billed=both.amount.cast(EXACT),
        said=ibis.literal("events that an earlier line has billed"),
        seen=both.firsts.concat(both.seen),
    )


def _overlapping() -> ir.Table:
    """One row per period: all that was billed for it, and the quantity that was used."""
    twice = usage_twice.OVERLAPPING.table
    line = metered.BILLED.table
    newest = line.select("b_system", "b_key", "invoice_key", invoice_number="number")
    total = line.group_by(*metered.KEY).agg(billed=line.amount.sum().cast(EXACT))
    both = twice.inner_join(newest, ["b_system", "b_key"]).inner_join(total, list(metered.KEY))
    return both.select(
        *_LINE,
        "invoice_key",
        "invoice_number",
        "billed",
        once=both.in_time,
        said=ibis.literal("days that another invoice has billed"),
        seen=both.firsts,
    ).select(*_LINE, "invoice_key", "invoice_number", "once", "billed", "said", "seen")


CHECK = Check(
    id="usage_billed_twice",
    doc=__doc__,
    pattern=Pattern.DUPLICATES,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(
        *usage_rated.NEEDS,
        Need("billed_usage", "billing").where_filled(),
        *credits.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    settings=usage_rated.SETTINGS,
    tolerance=Tolerance(absolute=Decimal("0.01")),
    worked={"rated": usage_rated.shown("once")},
    arithmetic=Arithmetic.of("rated", "max(rated, billed - credited)", "actual - expected"),
    message=(
        "Invoice {invoice_number} bills {said} for {product}, {period_start} to {period_end}: {once} units were used "
        "once, and {amount} {currency} are too much."
    ),
    find=find,
)
