"""An invoice line was made from a version of the billing schedule that had been replaced for its period.

Why it matters: the change that replaced the schedule is in billing and does not reach the customer. The invoice looks
right to everybody who compares it with the old order.

Usual cause: the draft was made before the amendment was applied and never made again, or an amendment was backdated
and the period was not billed anew.

How to fix: delete the draft and let it be made again. For a posted line, credit it and bill the period from the
schedule in force.

What it is not: a period of the past that is billed or issued again from the schedule that was in force for it, a
change that takes effect within the period, or a line that was credited and billed anew.
"""

from decimal import Decimal

import ibis.expr.types as ir

from books.reading import Books
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
from checks.facts import billed, superseded
from checks.rows import candidates, listed, reference


def find(_: Books, __: Params) -> ir.Table:
    """Lines of superseded schedule rows, net of what was taken back."""
    off = superseded.LINES.table
    seen = listed(
        reference(off.system, "invoice_lines", off.key),
        reference(off.system, "billing_schedules", off.old_key),
        reference(off.system, "billing_schedules", off.new_key),
    )
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        "old_version",
        "new_version",
        subject=off.line_of,
        period=(off.since, off.until),
        evidence=seen,
        invoice=off.invoice_key,
        line=off.key,
        billed=off.billed,
        old_quantity=off.old_quantity,
        old_price=off.old_unit_price,
        old_months=off.old_price_months,
        new_quantity=off.new_quantity,
        new_price=off.new_unit_price,
        new_months=off.new_price_months,
    )


CHECK = Check(
    id="invoice_schedule_version_mismatch",
    doc=__doc__,
    pattern=Pattern.BROKEN_LINKS,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(
        Need("billing_schedules", "billing"),
        *(need for need in billed.NEEDS if need.entity != "billing_schedules"),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of(
        "billed * new_quantity * new_price * old_months / (old_quantity * old_price * new_months)", "billed"
    ),
    message=(
        "Invoice {number} bills {product_code} from {period_start} to {period_end} by version {old_version} of its "
        "schedule, version {new_version} is in force: {actual} {currency} instead of {expected}."
    ),
    find=find,
)
