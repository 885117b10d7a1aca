"""The figures of an invoice do not add up.

Why it matters: the total is what the customer is asked to pay. One that its own lines do not support is wrong in
one direction or the other, and no auditor accepts it.

Usual cause: a line was edited after the total was made, a rounding rule differs between two systems, or a credit
was entered as a negative charge.

How to fix: have the draft calculated again. If it still does not add up, correct the line that is named, and
enter what is owed back as a credit.

What it is not: half a minor unit of rounding per line, a part of a period, a price in tiers, tax on lines of its
own, or a negative charge that takes back what was charged for the same days.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import CycleColumns
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
from checks.facts import billed
from checks.rows import candidates, listed, reference

ADDED = ("credit", "discount", "tax")
EXACT = "decimal(38, 8)"


def find(books: Books, _: Params) -> ir.Table:
    """Invoices whose lines and tax miss the total, with a line that misses quantity × price, or owes without reason.

    Rounding may move each line by half a minor unit. The amount of a finding is the sum of what is off.
    """
    rows = _summed(books).left_join(_line_faults(), ["system", "key"])
    tax = ibis.coalesce(rows.tax, rows.line_tax.fill_null(0) + rows.tax_lines.fill_null(0)).cast(EXACT)
    lines = rows.line_total.fill_null(0).cast(EXACT)
    total = rows.total.fill_null(0).cast(EXACT)
    apart = (lines + tax - total).abs()
    is_apart = apart > half_unit(rows.currency) * ibis.greatest(rows.lines.fill_null(0), 1)
    gap, owed = rows.line_gap.fill_null(0).cast(EXACT), rows.owed.fill_null(0).cast(EXACT)
    rows = rows.mutate(lines_total=lines, tax_total=tax, invoice_total=total, gap=gap, unexplained=owed)
    off = rows.filter(is_apart | (rows.gap > 0) | (rows.unexplained > 0))
    is_draft = off.status == "draft"
    place = ibis.row_number().over(group_by=[off.system, off.account_key, off.invoice_date], order_by=[off.key])
    named = off.account_key + "/" + off.currency + "/" + (place + 1).cast("string")
    return candidates(
        off,
        "invoices",
        "number",
        # A draft is made anew with another number, so it is known by its customer and its day.
        subject=is_draft.ifelse(ibis.coalesce(named, off.number, off.key), ibis.coalesce(off.number, off.key)),
        period=(off.invoice_date, ibis.null("date")),
        evidence=listed(
            reference(off.system, "invoices", off.key),
            reference(off.system, "invoice_lines", off.gap_line),
            reference(off.system, "invoice_lines", off.owed_line),
        ),
        invoice=off.key,
        line=ibis.coalesce(off.gap_line, off.owed_line),
        known_at=is_draft.ifelse(ibis.null(off.modified_at.type()), off.modified_at),
        lines_total=off.lines_total,
        tax=off.tax_total,
        total=off.invoice_total,
        line_gap=off.gap,
        unexplained=off.unexplained,
    )


def _summed(books: Books) -> ir.Table:
    line = billed.LINES.table
    is_tax = line.kind == "tax"
    sums = line.group_by(l_system="system", l_invoice="invoice_key").agg(
        lines=line.count(),
        line_total=is_tax.ifelse(0, line.amount).sum(),
        tax_lines=is_tax.ifelse(line.amount, 0).sum(),
        line_tax=line.tax.sum(),
    )
    invoice = billed.invoices(books)
    joined = invoice.left_join(sums, [invoice.system == sums.l_system, invoice.key == sums.l_invoice])
    return joined.drop("l_system", "l_invoice")


def _line_faults() -> ir.Table:
    """Per invoice: `line_gap`, what lines miss quantity × price by, and `owed`, negative charges without a reason."""
    line = billed.LINES.table
    line = line.filter(~line.kind.isin(ADDED))
    gap = _gap(line)
    negative = line.filter((line.amount < 0) | (line.quantity < 0))
    owed = negative.anti_join(_explained(negative, line), ["system", "key"])
    gap = gap.select("system", "invoice_key", "key", gap="gap", owed=ibis.literal(0).cast(EXACT))
    owed = owed.select(
        "system", "invoice_key", "key", gap=ibis.literal(0).cast(EXACT), owed=owed.amount.abs().cast(EXACT)
    )
    faults = gap.union(owed)
    return faults.group_by("system", key=faults.invoice_key).agg(
        line_gap=faults.gap.sum().cast(EXACT),
        owed=faults.owed.sum().cast(EXACT),
        gap_line=faults.key.min(where=faults.gap > 0),
        owed_line=faults.key.min(where=faults.owed > 0),
    )


def _gap(line: ir.Table) -> ir.Table:
    """Lines whose amount is neither quantity × price nor that for the months billed.

    A part of a billing period is not judged, because how it is cut depends on the days; nor is usage, whose price
    comes in tiers. Their own checks work them out.
    """
    priced = line.filter((line.kind != "usage") & line.quantity.notnull() & line.unit_price.notnull())
    own = CycleColumns.of(priced.since, ibis.null("int64"), ibis.literal(1))
    months = own.index(priced.until)
    is_whole = (own.boundary(months) == priced.until) & (months == priced.cycle_months.fill_null(months))
    is_part = ~is_whole.fill_null(True)
    value = product(priced.quantity, priced.unit_price)
    by_months = product(value, months.fill_null(1).cast("decimal(18, 0)"))
    spans = priced.s_price_months.fill_null(1)
    once = (value - priced.amount).abs().cast(EXACT)
    spanned = (by_months - product(priced.amount, spans.cast("decimal(18, 0)"))).abs().cast(EXACT)
    rows = priced.mutate(
        gap=(spans == 1).ifelse(ibis.least(once, spanned), once),
        is_off=(once > half_unit(priced.currency)) & (spanned > half_unit(priced.currency) * spans) & ~is_part,
    )
    return rows.filter(rows.is_off)


def _explained(negative: ir.Table, line: ir.Table) -> ir.Table:
    """(system, key) of negative charges that take back at most what was charged for the same thing and days."""
    charge = line.filter(line.amount > 0).select(
        "bills", p_system="system", p_amount="amount", p_since="since", p_until="until"
    )
    both = negative.inner_join(charge, [negative.system == charge.p_system, negative.bills == charge.bills])
    taken = (both.since < both.p_until) & (both.p_since < both.until) & (both.p_amount >= -both.amount)
    return both.filter(taken).select("system", "key").distinct()


CHECK = Check(
    id="invoice_math_error",
    doc=__doc__,
    pattern=Pattern.DRAFT_INTEGRITY,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=billed.NEEDS,
    tolerance=Tolerance(absolute=Decimal("0")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of("lines_total + tax", "total", "abs(expected - actual) + line_gap + unexplained"),
    message=(
        "Invoice {number} says {total} {currency}; its lines and tax come to {expected}. Lines miss quantity × price "
        "by {line_gap}, and {unexplained} is negative without a credit."
    ),
    find=find,
)
