"""A part of a billing period was billed at another amount than its days come to.

Why it matters: what is added, changed or ended within a period is billed for the days that are left. An error there
is small on each invoice, is made on every amendment, and is what customers check first.

Usual cause: the amount was worked out by hand or in a spreadsheet, the amendment's day shifted by a time zone, or two
systems count the days of a month by different rules.

How to fix: correct the line on the draft, or bill or credit the difference. If your platform prorates by another rule
than the one that the arithmetic shows, set `day_count` to it, and this check follows.

What it is not: a platform that counts months of thirty days, or whole months, where `day_count` says so; a leap year,
whose days are counted as they are; a whole billing period; or rounding.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import CycleColumns
from checks.arithmetic.proration import DAY_COUNT, DayCount
from checks.arithmetic.proration_columns import share
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import billed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

EXACT = "decimal(38, 8)"


def find(books: Books, params: Params) -> ir.Table:
    """Recurring lines for a part of a billing period, by their own quantity and price."""
    rows = _parts(books, DayCount(params.text("day_count")))
    scale = product(rows.whole, rows.price_months)
    value = product(product(product(rows.quantity, rows.unit_price), rows.months), rows.counted)
    apart = value - product(rows.amount, scale)
    off = rows.mutate(apart=apart.abs().cast(EXACT), value=value.abs().cast(EXACT))
    off = off.filter(off.apart > product(half_unit(off.currency), scale))
    percent = params.decimal("block_over_percent")
    is_large = product(off.apart, ibis.literal(100)) > product(off.value, ibis.literal(percent).cast("decimal(18, 4)"))
    return candidates(
        off,
        "invoice_lines",
        "number",
        "since",
        "until",
        subject=off.bills + (off.amount < 0).ifelse("/credit", ""),
        period=(off.since, off.until),
        evidence=listed(
            reference(off.system, "invoice_lines", off.key), reference(off.system, "subscription_lines", off.line_of)
        ),
        invoice=off.invoice_key,
        line=off.key,
        mode=is_large.ifelse(Mode.BLOCK.value, Mode.WARN.value),
        product=ibis.coalesce(off.name, off.product_code, "a line"),
        quantity=off.quantity,
        unit_price=off.unit_price,
        months=off.months,
        counted=off.counted,
        whole=off.whole,
        price_months=off.price_months,
        billed=off.amount,
    )


def _parts(books: Books, day_count: DayCount) -> ir.Table:
    """Lines within one billing period that are no whole one, with `counted` of `whole` in the convention's units."""
    line = billed.LINES.table
    line = line.filter(
        line.kind.isin(("recurring", "credit"))
        & (line.s_charge_type == "recurring")
        & line.since.notnull()
        & line.quantity.notnull()
        & line.unit_price.notnull()
        & line.cycle_months.notnull()
    )
    line = of_customers(books, line).anti_join(billed.REPEATED.table, ["system", "key"])
    cycle = CycleColumns.of(line.cycle_began, line.cycle_bill_day, line.cycle_months)
    line = line.mutate(
        n=cycle.index(line.since), months=line.cycle_months, price_months=line.s_price_months.fill_null(1)
    )
    cycle = CycleColumns.of(line.cycle_began, line.cycle_bill_day, line.cycle_months)
    line = line.mutate(begins=cycle.boundary(line.n), follows=cycle.boundary(line.n + 1))
    own = CycleColumns.of(line.since, ibis.null("int64"), line.months)
    is_part = (line.since < line.until) & (line.until <= line.follows) & (own.boundary(1) != line.until)
    line = line.filter(is_part)
    counted, whole = share(line.since, line.until, (line.begins, line.follows), line.months, day_count)
    return line.mutate(counted=counted, whole=whole)


CHECK = Check(
    id="coterm_proration_error",
    doc=__doc__,
    pattern=Pattern.TIME_BOUNDARIES,
    severity=Severity.S3,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.WARN,
    may_block=True,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*billed.NEEDS, *CUSTOMER_NEEDS),
    settings=(
        DAY_COUNT,
        Setting("block_over_percent", 1, "An error above one percent is no rounding, and stops the invoice."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("quantity * unit_price * months * counted / (whole * price_months)", "billed"),
    message=(
        "Invoice {number} bills {product} for {since} to {until} with {actual} {currency}; {counted} of {whole} parts "
        "of the billing period come to {expected}."
    ),
    find=find,
)
