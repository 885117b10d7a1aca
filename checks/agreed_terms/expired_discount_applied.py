"""A discount had ended before the billing period began, and the invoice still takes it off.

Why it matters: a promotion is priced for a few months. One that nobody ends costs its amount in every period until
somebody notices, and the customer takes the lower price for the agreed one.

Usual cause: billing holds the discount without an end, the end was typed a year late, or the price was lowered by hand
for the promotion and never raised again.

How to fix: end the discount in billing on the agreed day and correct the draft; bill the difference of posted periods
or grant the discount anew in the CRM, with an approval.

What it is not: a promotion that was renewed, one whose last day lies within the period, since the discount of the
first day holds for the whole of it, or an end that one system writes as the last day and the other as the day after.
"""

from decimal import Decimal

import ibis.expr.types as ir

from books.reading import Books
from checks.contract import (
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
from checks.facts import billed, contract_periods, credits, discounts, expired_discounts, terms
from checks.rows import candidates


def find(books: Books, _: Params) -> ir.Table:
    """Billing periods that are lower than the terms by a discount that had ended."""
    off = contract_periods.APART.table.inner_join(expired_discounts.PERIODS.table, list(contract_periods.KEY))
    off = contract_periods.with_records(books, off)
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        "discount",
        "ended_on",
        subject=off.contract_line_key,
        period=(off.period_start, off.period_end),
        invoice=off.invoice_key,
        line=off.key,
        **contract_periods.shown(off),
    )


CHECK = Check(
    id="expired_discount_applied",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        *terms.NEEDS,
        *billed.NEEDS,
        *credits.NEEDS,
        *discounts.NEEDS,
    ),
    one_of=("discounts",),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=contract_periods.ARITHMETIC,
    message=(
        "«{discount}» ended before {ended_on}; invoice {number} still takes it off {product_code} in the period from "
        "{period_start} to {period_end}: {actual} {currency} instead of {expected}."
    ),
    find=find,
)
