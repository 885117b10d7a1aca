"""A deal with a ramp has reached its next step, and the invoice bills the quantity or price of an earlier one.

Why it matters: a ramp starts low because later steps pay for it. A step that is not taken gives away exactly what the
low start was traded for.

Usual cause: billing was set up with the first step only, or the order of a later step was never activated.

How to fix: enter the step in billing from its first day and bill the difference of the periods that have passed. If
the customer was allowed to wait, amend the contract so that the step starts later.

What it is not: a step that an amendment has moved, made smaller or dropped, since the terms are net of amendments; a
step that begins within a period which was billed in advance, before the next invoice; or any other difference from
the contract, which contract_terms_vs_billing reports.
"""

from decimal import Decimal

import ibis
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
    """Billing periods that come to what an earlier step of the ramp would have cost."""
    behind = behind_terms.PERIODS.table.filter(lambda t: t.left_behind == behind_terms.STEP)
    off = contract_periods.APART.table.inner_join(behind, list(contract_periods.KEY))
    off = contract_periods.with_records(books, off)
    stale = ibis.cases(
        (off.price_before.isnull(), "quantity"),
        (off.quantity_before.isnull(), "price"),
        else_="quantity and price",
    )
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
        stale=stale,
        **contract_periods.shown(off),
    )


CHECK = Check(
    id="ramp_step_missed",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*terms.NEEDS, *billed.NEEDS, *credits.NEEDS, *discounts.NEEDS),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=contract_periods.ARITHMETIC,
    message=(
        "The ramp of {product_code} took a step on {changed_on}; invoice {number} still bills the period from "
        "{period_start} to {period_end} at the {stale} of an earlier one: {actual} {currency} instead of {expected}."
    ),
    find=find,
)
