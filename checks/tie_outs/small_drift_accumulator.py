"""Differences of a product that are each too small to report all point the same way, and add up.

Why it matters: a tolerance is meant for noise. What is off by a little for every customer and every month is no noise:
fifty a month from two hundred customers are a hundred and eighty thousand in a year and a half.

Usual cause: a price that was rounded when it was converted, an old rate of exchange, a wrong day count, or a fee that
one system knows and the other does not.

How to fix: compare one of the listed customers' invoices with its contract line by line, find the rule that makes the
difference, and correct it where the price comes from.

What it is not: rounding, which falls on both sides, a difference of a few months only, or one large enough to be
reported by itself.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import days_later
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
from checks.facts import tied_out
from checks.rows import candidates, collected, reference, some

KEY = ("product_code", "currency", "is_short")
_SHOWN = 25
_ZERO_DECIMALS_FACTOR = 100


def find(books: Books, params: Params) -> ir.Table:
    """Products of which months below the tolerance fall on one side; billing too little and too much are apart."""
    drift = _small(books, params)
    both = drift.group_by("product_code", "currency").agg(every=drift.count())
    side = drift.group_by(KEY).agg(n=drift.count(), drift=drift.apart.sum().cast(tied_out.MONEY))
    side = side.inner_join(both, ["product_code", "currency"])
    clear = side.n.cast("float64") >= side.every.cast("float64") * float(params.decimal("same_sign_share"))
    large = side.drift.abs() > _limit(side, params)
    off = side.filter((side.n >= params.whole("min_months")) & clear & large)
    product = books.table("products", "crm").group_by(p_code="code").agg(key=lambda t: t.key.min(), system=_first)
    off = off.inner_join(product, off.product_code == product.p_code)
    off = off.left_join(_largest(drift), list(KEY))
    return candidates(
        off.mutate(account_key=ibis.null("string")),
        "products",
        "product_code",
        "n",
        subject=off.product_code + "/" + off.currency + off.is_short.ifelse("/short", "/over"),
        evidence=some(off.customers),
        drift=off.drift,
    )


def _first(rows: ir.Table) -> ir.StringValue:
    return rows.system.min()


def _small(books: Books, params: Params) -> ir.Table:
    """Settled months of customers that differ, and by no more than the tie-out allows. `apart` is booked − billed."""
    month = tied_out.recent(books, params.whole("months_back"))
    month = month.filter(days_later(month.last_due, params.whole("settle_days")) < month.today)
    month = month.mutate(apart=(month.booked - month.billed).cast(tied_out.MONEY))
    allowed = month.booked.cast("float64") * float(params.decimal("small"))
    small = (month.apart != 0) & (month.apart.abs().cast("float64") <= allowed)
    return month.filter(small).mutate(is_short=month.apart > 0)


def _limit(side: ir.Table, params: Params) -> ir.DecimalValue:
    limit = ibis.literal(params.decimal("limit")).cast(tied_out.MONEY)
    large = ibis.literal(params.decimal("limit") * _ZERO_DECIMALS_FACTOR).cast(tied_out.MONEY)
    return tied_out.has_no_decimals(side.currency).ifelse(large, limit)


def _largest(drift: ir.Table) -> ir.Table:
    """By KEY the customers with the largest drift, as evidence."""
    of_customer = drift.group_by(*KEY, "account_key", "system").agg(size=drift.apart.sum().abs())
    order = ibis.window(
        group_by=[of_customer[name] for name in KEY], order_by=[of_customer["size"].desc(), of_customer.account_key]
    )
    first = of_customer.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place < _SHOWN)
    return first.group_by(KEY).agg(customers=collected(reference(first.system, "accounts", first.account_key)))


CHECK = Check(
    id="small_drift_accumulator",
    doc=__doc__,
    pattern=Pattern.TIE_OUTS,
    severity=Severity.S3,
    owners=(Owner.FINANCE_OPS, Owner.BILLING_OPS),
    mode=Mode.MONITOR,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.EVERYTHING,
    needs=(*tied_out.NEEDS, Need("products", "crm")),
    settings=(
        Setting("months_back", 18, "Months over which small differences are added up."),
        Setting("settle_days", 3, "Days after a due date within which its invoice may still be made."),
        Setting("small", "0.005", "Up to this share of what was booked the tie-out itself says nothing."),
        Setting("min_months", 12, "Fewer months of customers than this prove no rule."),
        Setting("same_sign_share", "0.9", "Rounding falls on both sides; a rule falls on one."),
        Setting("limit", "100", "Sum worth a look, in the currency; a hundred times that where it has no decimals."),
    ),
    arithmetic=Arithmetic.of("drift", "0"),
    message="{n} months of {product_code} differ by little each and by {drift} {currency} together, all on one side.",
    find=find,
)
