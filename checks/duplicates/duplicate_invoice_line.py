"""The same thing was invoiced twice for the same days.

Why it matters: the customer pays twice or disputes the invoice, and every later invoice is read with suspicion.

Usual cause: a run was started again after a failure, or an invoice was made by hand while the run made it as well.

How to fix: remove the line from the draft, or credit it where the invoice has been posted.

What it is not: a line that was taken back by a negative line or a credit memo before it was billed again, an invoice
that was credited and rebilled, the same product sold on two subscription lines, or two charges of one line for
different days.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
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
from checks.facts import billed, credits
from checks.rows import candidates, listed, reference

KEY = ("system", "key")


def find(books: Books, _: Params) -> ir.Table:
    """Each line that repeats an earlier one; a line that was taken back, and the one that took it, do not count."""
    again = billed.REPEATED.table
    named = _credited(books, again)
    rows = credits.with_credits(books, again, KEY, named)
    place = (rows.again > 1).ifelse("/" + rows.again.cast("string"), "")
    seen = listed(
        reference(rows.system, "invoice_lines", rows.key),
        reference(rows.system, "invoice_lines", rows.first_key),
        reference(rows.system, "subscription_lines", rows.line_of),
    )
    return candidates(
        rows,
        "invoice_lines",
        "number",
        subject=rows.bills + place,
        period=(rows.since, rows.until),
        evidence=seen.concat(rows.memos),
        invoice=rows.invoice_key,
        line=rows.key,
        product=ibis.coalesce(rows.name, rows.product_code, "a line"),
        billed_again=rows.amount,
        credited=rows.credited,
    )


def _credited(books: Books, again: ir.Table) -> ir.Table:
    """Whose credits take a repeated line back: its own invoice's, and its predecessor's where it bills that again."""
    own = again.select(*KEY, "currency", invoice="invoice_key")
    pair = credits.rebilled(books)
    before = again.filter(again.again == 1).inner_join(
        pair,
        [again.system == pair.on_system, again.first_invoice == pair.on_invoice, again.invoice_key == pair.rebill],
    )
    return own.union(before.select(*KEY, "currency", invoice="on_invoice"))


CHECK = Check(
    id="duplicate_invoice_line",
    doc=__doc__,
    pattern=Pattern.DUPLICATES,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*billed.NEEDS, *credits.NEEDS),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("0", "max(0, billed_again - credited)", "actual - expected"),
    message=(
        "{product} was billed before for {period_start} to {period_end}; invoice {number} bills {amount} {currency} "
        "again."
    ),
    find=find,
)
