"""Several discounts are taken off one line in one period, together more than the policy allows or not meant to combine.

Why it matters: each discount was approved alone. Together they go below a price that nobody agreed to, in every
period until one of them ends.

Usual cause: a promotion was added to a line that already had a negotiated discount, or a coupon was redeemed twice.

How to fix: take the discount off that should not combine and correct the draft. If the combination was agreed, record
the approval or mark the contract as one whose discounts add up.

What it is not: discounts that a contract allows to add up, such as an agreed ladder, a combination that was approved,
one discount after another, or two that together stay within the policy.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import half_unit
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
from checks.facts import approved, billed, discounts, terms
from checks.rows import candidates, collected, reference


def find(books: Books, params: Params) -> ir.Table:
    """Billing periods of contract lines with two or more discounts on the invoice, above what is allowed."""
    rows = _stacked(params)
    rows = rows.anti_join(_agreed(books, rows), ["contract_line_key", "since"])
    allowed = product(rows.gross, rows.share) + rows.alone
    # Each of them was rounded on its own.
    rounding = half_unit(rows.currency) * rows.discounts.cast("decimal(9, 0)")
    off = rows.filter((rows.taken_off - allowed) > rounding)
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        "discounts",
        subject=off.contract_line_key,
        period=(off.since, off.until),
        evidence=off.lines,
        invoice=off.invoice_key,
        line=off.key,
        gross=off.gross,
        share=off.share,
        alone=off.alone,
        taken_off=off.taken_off,
    )


def _stacked(params: Params) -> ir.Table:
    """Per contract line, invoice and period: what is taken off, and what is allowed.

    Where the discounts may combine that is `share` of the `gross` amount; else it is the largest `alone`.
    """
    line = billed.LINES.table
    line = line.filter(line.contract_line_key.notnull() & line.since.notnull() & (line.amount != 0))
    granted = discounts.GRANTED.table
    granted = granted.group_by("line", "name").agg(stackable=granted.stackable.all())
    named = [line.contract_line_key == granted.line, line["name"] == granted.name]
    line = line.left_join(granted, named).drop("line", "name_right")
    is_less = (line.kind == "discount") & (line.amount < 0)
    off = is_less.ifelse(-line.amount, 0)
    wide = "decimal(38, 9)"
    grouped = line.group_by("system", "contract_line_key", "invoice_key", "since", "until").agg(
        **{name: line[name].max() for name in ("account_key", "number", "currency", "contract_key", "product_code")},
        discounts=is_less.sum(),
        key=is_less.ifelse(line.key, ibis.null("string")).max(),
        gross=(line.kind == "recurring").ifelse(line.amount, 0).sum().cast(wide),
        taken_off=off.sum().cast(wide),
        largest=off.max().cast(wide),
        may_stack=(~is_less | line.stackable.fill_null(True)).all(),
        lines=collected(reference(line.system, "invoice_lines", line.key)),
    )
    several = grouped.filter((grouped.discounts > 1) & (grouped.gross > 0))
    limit = ibis.literal(params.decimal("combined_limit")).cast("decimal(24, 8)")
    return several.mutate(
        share=several.may_stack.ifelse(limit, 0), alone=several.may_stack.ifelse(0, several.largest).cast(wide)
    )


def _agreed(books: Books, rows: ir.Table) -> ir.Table:
    """Those whose contract says that discounts add up, or whose combination was approved."""
    line = terms.LINES.table.select(l_key="key", l_contract="contract_key")
    contract = terms.CONTRACTS.table.filter(lambda t: t.allows_stacking.fill_null(False)).select(k_key="key")
    sold = rows.inner_join(line, rows.contract_line_key == line.l_key)
    allowed = sold.semi_join(contract, sold.l_contract == contract.k_key).select("contract_line_key", "since")
    given = approved.approvals(books, "stacking").select("record_key", "rate", "until_date")
    parts = []
    for at in (sold.contract_line_key, sold.l_contract):
        joined = sold.inner_join(given, at == given.record_key)
        is_enough = joined.rate.isnull() | (product(joined.gross, joined.rate) >= joined.taken_off)
        holds = joined.until_date.isnull() | (joined.until_date > joined.since)
        parts.append(joined.filter(is_enough & holds).select("contract_line_key", "since"))
    return allowed.union(*parts)


CHECK = Check(
    id="stacked_discounts",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(*billed.NEEDS, *discounts.NEEDS, *approved.NEEDS),
    settings=(
        Setting(
            "combined_limit",
            Decimal("0.25"),
            "Discounts of a line may together take off a quarter of its price; more needs an approval.",
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("share * gross + alone", "taken_off", "actual - expected"),
    message=(
        "Invoice {number} takes {discounts} discounts off {product_code} from {period_start} on: {actual} {currency} "
        "of {gross}, where {expected} is allowed."
    ),
    find=find,
)
