"""A field that decides what is billed is set in the CRM and empty, or at its default, in billing.

Why it matters: the invoice is computed without it. A discount, a free month, a tax code or a way of billing that was
agreed does not happen, and the customer finds out first.

Usual cause: the field is not in the hand-over's mapping, its name or values changed on one side, or the record was
saved once more by hand.

How to fix: write the value into the subscription line, correct what was billed without it, and add the field to the
mapping. Look for other records that were handed over since the same day.

What it is not: a default that means the same as the value, such as a discount of nothing or billing in advance; a
discount that billing holds as a lower price; or a field that this billing system does not keep at all.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
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
    Severity,
    Spans,
)
from checks.facts import subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

_WIDE = "decimal(38, 9)"
# Fields that change what the next invoice comes to; the others change how or when it is billed.
_OF_PRICE = ("discount", "free period")


def find(books: Books, _: Params) -> ir.Table:
    """Pairs of contract line and subscription line with a field that is set above and not below; one row per field.

    `with_field` is what one billing period comes to if the field is applied (for a free period its months, for the
    others a period as it is), `without_field` what it comes to as billing holds it.
    """
    pair = _pairs(books)
    rows = _dropped(pair)
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
        with_field=rows.with_field,
        without_field=rows.without_field,
    )


def _pairs(books: Books) -> ir.Table:
    """Recurring contract lines with the one subscription line that bills each; usage that overage adds is left out."""
    said = books.table("contract_lines", "crm").select("discount_rate", "tax_code", w_system="system", w_key="key")
    line = terms.LINES.table
    line = of_customers(books, line.filter(line.billable & (line.charge_type == "recurring") & (line.quantity > 0)))
    line = line.inner_join(said, [line.system == said.w_system, line.key == said.w_key])
    held = subscribed.LINES.table
    held = held.filter(
        (held.charge_type.fill_null("recurring") == "recurring")
        & ~held.status.fill_null("active").isin(("draft", "cancelled", "expired"))
    )
    other = books.table("subscription_lines", "billing").select(
        h_discount="discount_rate", h_tax_code="tax_code", h_timing="billing_timing", o_system="system", o_key="key"
    )
    held = held.inner_join(other, [held.system == other.o_system, held.key == other.o_key])
    held = held.select(
        "h_discount", "h_tax_code", "h_timing", h_system="system", h_key="key", h_line="contract_line_key",
        h_free="free_until", h_end="end_date", h_term_end="term_end", h_price="unit_price", h_months="price_months",
    )  # fmt: skip
    kept = {name: held[name].notnull().any() for name in ("h_discount", "h_tax_code", "h_free")}
    system = held.group_by(y_system="h_system").agg(**{f"keeps_{name}": value for name, value in kept.items()})
    held = held.inner_join(system, held.h_system == system.y_system)
    return line.inner_join(held, line.key == held.h_line)


def _dropped(pair: ir.Table) -> ir.Table:
    months = pair.billing_months.cast("decimal(18, 0)")
    a_period = _value(pair.quantity, pair.unit_price, pair.price_months, months)
    at_list = _value(pair.quantity, pair.h_price, pair.h_months, months)
    free = (pair.free_until > pair.start_date).ifelse(months_begun(pair.start_date, pair.free_until) - 1, 0)
    free_value = _value(pair.quantity, pair.unit_price, pair.price_months, free.cast("decimal(18, 0)"))
    nothing = ibis.literal(0).cast(_WIDE)
    ends = (pair.ends_on != FOREVER) & pair.h_end.isnull() & pair.h_term_end.isnull()
    fields = (
        (
            "discount",
            (pair.discount_rate > 0)
            & pair.keeps_h_discount
            & (pair.h_discount.fill_null(0) == 0)
            & (product(pair.h_price, pair.price_months) > product(pair.unit_price, pair.h_months)),
            a_period,
            at_list,
        ),
        ("free period", (free > 0) & pair.keeps_h_free & pair.h_free.isnull(), nothing, free_value),
        ("tax code", pair.tax_code.notnull() & pair.keeps_h_tax_code & pair.h_tax_code.isnull(), a_period, nothing),
        ("billing in arrears", (pair.billing_timing == "arrears") & pair.h_timing.isnull(), a_period, nothing),
        ("end of the term", ends, nothing, a_period),
    )
    parts = [
        pair.filter(is_dropped.fill_null(False)).mutate(
            field=ibis.literal(name), with_field=with_field.cast(_WIDE), without_field=without.cast(_WIDE)
        )
        for name, is_dropped, with_field, without in fields
    ]
    return parts[0].union(*parts[1:])


def _value(
    quantity: ir.DecimalValue, price: ir.DecimalValue, price_months: ir.IntegerValue, months: ir.DecimalValue
) -> ir.DecimalValue:
    """quantity × price for so many months; null where they are not a whole number of price spans."""
    whole = product(product(quantity, price), (months.cast("int64") // price_months).cast("decimal(18, 0)"))
    return (months.cast("int64") % price_months == 0).ifelse(whole, ibis.null(whole.type()))


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
    needs=(*terms.NEEDS[:3], *subscribed.NEEDS, *CUSTOMER_NEEDS),
    absent_from=Need("subscription_lines", "billing"),
    arithmetic=Arithmetic.of("with_field", "without_field", "abs(expected - actual)"),
    message=(
        "The {field} of {product_code} is set in the CRM and not in billing: a period comes to {actual} {currency} "
        "there and to {expected} by contract."
    ),
    find=find,
)
