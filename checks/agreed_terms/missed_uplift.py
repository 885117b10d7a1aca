"""The price of a contract line rose by an agreed uplift, and the invoice still bills the price from before.

Why it matters: every later rise builds on this one. An uplift that is missed once is rarely asked for afterwards, so
the customer keeps the old price for the rest of the relationship.

Usual cause: the uplift stands in the contract and nobody entered it into billing, the price index came late and was
forgotten, or a renewal copied the old price.

How to fix: enter the new price from the day of the rise and bill the difference of the periods that have passed. If
the rise was waived, say so on the contract line.

What it is not: an uplift that was waived or replaced by an amendment with a price of its own, a rise by an index
whose rate is not fixed yet, a rise that a cap or a floor makes smaller or larger, or any other difference from the
contract, which contract_terms_vs_billing reports.
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
from checks.facts import behind_terms, billed, contract_periods, credits, discounts, terms
from checks.rows import candidates


def find(books: Books, _: Params) -> ir.Table:
    """Billing periods that come to what they would have cost at a price before a rise."""
    behind = behind_terms.PERIODS.table.filter(lambda t: t.left_behind == behind_terms.RISE)
    off = contract_periods.APART.table.inner_join(behind, list(contract_periods.KEY))
    off = contract_periods.with_records(books, off)
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        "changed_on",
        subject=off.contract_line_key,
        period=(off.period_start, off.period_end),
        invoice=off.invoice_key,
        line=off.key,
        **contract_periods.shown(off),
    )


CHECK = Check(
    id="missed_uplift",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*terms.NEEDS, *billed.NEEDS, *credits.NEEDS, *discounts.NEEDS),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=contract_periods.ARITHMETIC,
    message=(
        "The price of {product_code} rose on {changed_on}; invoice {number} still bills the period from "
        "{period_start} to {period_end} at a price from before: {actual} {currency} instead of {expected}."
    ),
    find=find,
)
