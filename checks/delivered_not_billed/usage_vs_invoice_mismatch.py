"""The usage of a billing period, rated again by the line's price, is not what was invoiced for it.

Why it matters: usage is billed once, at the end of its period. What is left out then is never asked for, and what is
too much comes back as a dispute.

Usual cause: events arrived in another unit, a tier or an included quantity differs between contract and billing, or
somebody changed the quantity on the draft.

How to fix: compare the tiers and the events in the arithmetic with the invoice line, and correct the draft; bill or
credit the difference where the invoice has been posted. If your platform rates otherwise, say so in the settings.

What it is not: usage that arrived after the invoice was made, which the next invoice bills and another check follows;
a tier bound or a package that your platform counts by its own rule; rounding; or a difference that a credit memo has
given back.
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
from checks.rows import candidates, collected, listed, reference, some


def find(books: Books, params: Params) -> ir.Table:
    """Billed periods of metered lines; usage of the period before that they hold is taken off."""
    rows = usage_rated.rated_periods(params)
    rows = of_customers(books, rows.filter(rows.bills.notnull()))
    rows = rows.anti_join(usage_twice.concerned(), list(metered.KEY))
    apart = rows.rated_in_time - (rows.bill_amount - rows.carried)
    allowed = (half_unit(rows.currency) * rows.bills).cast(EXACT)
    is_plain = rows.bill_currency == rows.currency
    off = rows.filter((apart.abs() > allowed).fill_null(True) | ~is_plain.fill_null(False))
    off = usage_rated.with_tiers(_with_bills(books, off), params)
    seen = listed(
        reference(off.system, "invoice_lines", off.b_key), reference(off.system, "subscription_lines", off.key)
    )
    billed_amount = (off.bill_currency == off.currency).ifelse(off.bill_amount, ibis.null(EXACT))
    return candidates(
        off.mutate(line_key=off.key, key=off.b_key),
        "invoice_lines",
        "invoice_number",
        *usage_rated.PRICE_COLUMNS,
        "in_time",
        subject=off.key,
        period=(off.since, off.until),
        evidence=seen.concat(some(off.lines)).concat(off.memos),
        invoice=off.invoice_key,
        line=off.b_key,
        known_at=off.made_at,
        product=ibis.coalesce(off.name, off.product_code, "usage"),
        billed=billed_amount,
        carried=off.carried,
        credited=off.credited,
    )


def _with_bills(books: Books, off: ir.Table) -> ir.Table:
    """With the latest bill of each period, the others as evidence, and what was credited on their invoices."""
    line = metered.BILLED.table.semi_join(off, list(metered.KEY))
    order = [line.made_at, line.b_key]
    newest = line.group_by(*metered.KEY).agg(
        b_key=line.b_key.last(order_by=order),
        invoice_key=line.invoice_key.last(order_by=order),
        invoice_number=line.number.last(order_by=order),
        lines=collected(reference(line.b_system, "invoice_lines", line.b_key)),
    )
    both = off.inner_join(newest, list(metered.KEY))
    named = line.select(*metered.KEY, "currency", invoice="invoice_key").distinct()
    return credits.with_credits(books, both, metered.KEY, named)


CHECK = Check(
    id="usage_vs_invoice_mismatch",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(
        *usage_rated.NEEDS,
        Need("billed_usage", "billing").where_filled(),
        *credits.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    settings=usage_rated.SETTINGS,
    tolerance=Tolerance(absolute=Decimal("0.01"), relative=Decimal("0.005")),
    absent_from=Need("usage_events", "usage"),
    worked={"rated": usage_rated.shown("in_time")},
    arithmetic=Arithmetic.of("rated", "billed - carried - min(credited, max(0, billed - carried - rated))"),
    message=(
        "{in_time} units of {product} from {period_start} to {period_end} cost {expected} {currency}; {invoice_number} "
        "bills {actual}."
    ),
    find=find,
)
