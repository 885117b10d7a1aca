"""A field that decides what is billed is set in the CRM and empty, or at its default, in billing.

Why it matters: the invoice is computed without it. A discount, a free month, a tax code or a way of billing that was
agreed does not happen, and the customer finds out first.

Usual cause: the field is not in the hand-over's mapping, its name or values changed on one side, or the record was
saved once more by hand.

How to fix: write the value into the subscription line, correct what was billed without it, and add the field to the
mapping. Look for other records that were handed over since the same day.

What it is not: a default that means the same as the value, such as a discount of nothing or billing in advance; a
discount that billing holds as a lower price or as a row of its own; free days that billing leaves out by beginning
after them; a tax code that stands on the invoices all the same; or a field that is listed as not kept in billing.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import known_sum, per_year
from checks.arithmetic.periods import FOREVER, months_begun
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
    Setting,
    Severity,
    Spans,
)
from checks.facts import billed, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

_WIDE = "decimal(38, 9)"
_FACTOR = "decimal(38, 4)"
DISCOUNT, FREE, TAX = "discount", "free period", "tax code"
ARREARS, FREQUENCY, END = "billing in arrears", "billing frequency", "end of the term"
# Fields that change what the next invoice comes to; the others change how or when it is billed.
_OF_PRICE = (DISCOUNT, FREE)


_TERMS = ("with_yearly", "with_months", "without_yearly", "without_months", "times", "over")


def find(books: Books, params: Params) -> ir.Table:
    """Pairs of contract line and subscription line with a field that is set above and not below; one row per field.

    What one billing period comes to if the field is applied is `with_yearly` for `with_months`, × `times` ÷ `over`;
    as billing holds it, `without_yearly` for `without_months`. A free period is counted in its months. Of a tax code
    the difference is the tax.
    """
    rows = _dropped(_taxed(_pairs(books)))
    rows = rows.filter(rows.field.isin(params.texts("fields")))
    place = ibis.row_number().over(group_by=[rows.system, rows.key, rows.field], order_by=[rows.h_system, rows.h_key])
    rows = rows.mutate(place=place).filter(lambda t: t.place == 0)
    is_of_price = rows.field.isin(_OF_PRICE)
    return candidates(
        rows,
        "contract_lines",
        "field",
        "product_code",
        subject=rows.key + "/" + rows.field,
        evidence=listed(
            reference(rows.system, "contract_lines", rows.key),
            reference(rows.h_system, "subscription_lines", rows.h_key),
        ),
        known_at=rows.modified_at,
        mode=is_of_price.ifelse(Mode.BLOCK.value, Mode.WARN.value),
        **{name: rows[name] for name in _TERMS},
    )


def _pairs(books: Books) -> ir.Table:
    """Recurring contract lines with the subscription lines that bill each; usage that overage adds is left out."""
    said = books.table("contract_lines", "crm").select(
        "discount_rate", "tax_code", w_system="system", w_key="key", said_months="billing_months"
    )
    line = terms.LINES.table
    line = of_customers(books, line.filter(line.billable & (line.charge_type == "recurring") & (line.quantity > 0)))
    line = line.inner_join(said, [line.system == said.w_system, line.key == said.w_key])
    line = _in_force(books, line)
    held = subscribed.LINES.table
    held = held.filter(
        (held.charge_type.fill_null("recurring") == "recurring")
        & ~held.status.fill_null("active").isin(("draft", "cancelled", "expired"))
    )
    other = books.table("subscription_lines", "billing").select(
        h_discount="discount_rate", h_tax_code="tax_code", h_timing="billing_timing", h_billing="billing_months",
        o_system="system", o_key="key",
    )  # fmt: skip
    held = held.inner_join(other, [held.system == other.o_system, held.key == other.o_key])
    held = held.select(
        "h_discount", "h_tax_code", "h_timing", "h_billing", h_system="system", h_key="key",
        h_line="contract_line_key", h_free="free_until", h_start="start_date", h_end="end_date",
        h_term_end="term_end", h_price="unit_price", h_months="price_months",
    )  # fmt: skip
    granted = books.table("discounts", "billing")
    granted = granted.select(g_system="system", g_line="subscription_line_key").distinct()
    granted = granted.filter(granted.g_line.notnull())
    held = held.left_join(granted, [held.h_system == granted.g_system, held.h_key == granted.g_line])
    return line.inner_join(held, line.key == held.h_line)


def _in_force(books: Books, line: ir.Table) -> ir.Table:
    """With what each line and its parts cost a year by contract, and its own quantity: today, or once it is billed."""
    row = terms.PRICED.table.select(
        "base_key", "begins", "until", "own_key", r_quantity="quantity", r_price="unit_price", r_months="price_months"
    )
    part = terms.LINES.table.select(part_key="key", part_code="product_code")
    row = row.inner_join(part, row.own_key == part.part_key)
    asked = line.cross_join(books.request.select("today"))
    first = ibis.greatest(asked.start_date, asked.free_until.fill_null(asked.start_date))
    asked = asked.select("key", "product_code", on=ibis.greatest(asked.today, first))
    both = asked.inner_join(row, asked.key == row.base_key).filter(lambda t: (t.begins <= t.on) & (t.on < t.until))
    a_year = per_year(both.r_quantity, both.r_price, both.r_months)
    is_own = (both.own_key == both.key) | (both.part_code == both.product_code)
    value = both.group_by(v_key="key").agg(
        yearly=known_sum(a_year, _WIDE),
        in_force=is_own.fill_null(False).ifelse(both.r_quantity, 0).sum().cast("decimal(18, 6)"),
    )
    return line.inner_join(value, line.key == value.v_key)


def _taxed(pair: ir.Table) -> ir.Table:
    """With `invoiced_code`, the tax code on the line's own invoices, and the customer's tax at the code in the CRM."""
    line = billed.LINES.table.filter(lambda t: t.tax_code.notnull() & (t.amount > 0))
    own = line.group_by(i_system="system", i_line="line_of").agg(invoiced_code=line.tax_code.max())
    rate = line.group_by(r_account="account_key", r_code="tax_code").agg(
        tax=line.tax.fill_null(0).sum().cast(_FACTOR), taxed=line.amount.sum().cast(_FACTOR)
    )
    pair = pair.left_join(own, [pair.h_system == own.i_system, pair.h_key == own.i_line])
    return pair.left_join(rate, [pair.account_key == rate.r_account, pair.tax_code == rate.r_code])


def _dropped(pair: ir.Table) -> ir.Table:
    """One row per pair and field that only the CRM has."""
    months, yearly = pair.billing_months, pair.yearly
    free = (pair.free_until > pair.start_date).ifelse(months_begun(pair.start_date, pair.free_until) - 1, 0)
    nothing, one = ibis.literal(0).cast(_WIDE), ibis.literal(1).cast(_FACTOR)
    none = ibis.literal(0).cast("int64")
    as_held = per_year(pair.in_force, pair.h_price, pair.h_months)
    lacks_discount = (pair.h_discount.fill_null(0) == 0) & pair.g_line.isnull() & (as_held > yearly)
    lacks_free = pair.h_free.isnull() & (pair.h_start < pair.free_until)
    lacks_code = pair.h_tax_code.isnull() & pair.invoiced_code.isnull()
    ends = (pair.ends_on != FOREVER) & pair.h_end.isnull() & pair.h_term_end.isnull()
    is_default = pair.h_timing.fill_null("advance") == "advance"
    is_monthly = pair.h_billing.fill_null(1) == 1
    fields = (
        (DISCOUNT, (pair.discount_rate > 0) & lacks_discount, (yearly, months), (as_held, months)),
        (FREE, (free > 0) & lacks_free, (nothing, none), (yearly, free)),
        (TAX, pair.tax_code.notnull() & lacks_code, (yearly, months), (nothing, none)),
        (ARREARS, (pair.billing_timing == "arrears") & is_default, (nothing, none), (yearly, months)),
        (FREQUENCY, (pair.said_months > 1) & is_monthly, (yearly, months), (yearly, none + 1)),
        (END, ends, (nothing, none), (yearly, months)),
    )
    is_taxed = (pair.taxed > 0).fill_null(False)
    parts = [
        pair.filter(is_dropped.fill_null(False)).mutate(
            field=ibis.literal(name),
            with_yearly=applied[0].cast(_WIDE),
            with_months=applied[1].cast("int64"),
            without_yearly=left_out[0].cast(_WIDE),
            without_months=left_out[1].cast("int64"),
            times=pair.tax.fill_null(0).cast(_FACTOR) if name == TAX else one,
            over=is_taxed.ifelse(pair.taxed, one) if name == TAX else one,
        )
        for name, is_dropped, applied, left_out in fields
    ]
    return parts[0].union(*parts[1:])


CHECK = Check(
    id="field_dropped_in_handoff",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        *terms.NEEDS,
        *subscribed.NEEDS,
        *(need.where_filled() for need in billed.NEEDS),
        Need("discounts", "billing").where_filled(),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting(
            "fields",
            (DISCOUNT, FREE, TAX, ARREARS, FREQUENCY, END),
            "All that the systems' mappings fill. Leave out what your billing does not keep: every line would lack it.",
        ),
    ),
    absent_from=Need("subscription_lines", "billing"),
    arithmetic=Arithmetic.of(
        "with_yearly * with_months * times / (12 * over)",
        "without_yearly * without_months / 12",
        "abs(expected - actual)",
    ),
    message=(
        "The {field} of {product_code} is set in the CRM and not in billing: a period comes to {actual} {currency} "
        "there and to {expected} by contract."
    ),
    find=find,
)
