"""A price was kept from before the migration, below the rate card, and nothing says until when or who allowed it.

Why it matters: an old price that nobody has to renew is given away for ever. It costs the difference to the rate card
with every invoice, and it is the price that the next customer asks for.

Usual cause: the migration kept all prices so that no invoice changed, and the end that sales had promised was written
nowhere.

How to fix: agree on an end with the customer and enter it at the line, or have the price approved. Else move the line
to the rate card with the next renewal.

What it is not: a price that a contract with an end locks, which goes before the card, be it that of a ramp's later
step; a price with an end or an approval that holds; a price at or above the rate card.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, days_later, midnight, months_begun
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Severity,
    Spans,
)
from checks.facts import approved, carried_over, list_prices, terms
from checks.rows import candidates, listed, reference

_PRICE = "decimal(38, 8)"


def find(books: Books, _: Params) -> ir.Table:
    """Lines that continue a grandfathered one, cheaper than the card, without an end and an approval that holds."""
    off = _kept(books)
    off = off.filter(off.unit_price.cast(_PRICE) * off.list_months < off.list_price.cast(_PRICE) * off.price_months)
    off = _unlocked(books, off)
    is_covered = off.approved_until >= off.end_date
    off = off.filter(~is_covered.fill_null(False)).cross_join(books.request.select("today"))
    since = ibis.greatest(off.cutover, off.approved_until.fill_null(off.cutover))
    last = ibis.least(off.today, days_later(off.end_date.fill_null(FOREVER), -1))
    return candidates(
        off,
        "subscription_lines",
        "product_code",
        "old_system",
        subject=off.key,
        evidence=listed(
            reference(off.system, "subscription_lines", off.key),
            reference(off.old_system, "legacy_subscription_lines", off.old_key),
        ),
        fails_from=midnight(off.approved_until),
        quantity=off.quantity,
        rate=off.unit_price,
        rate_months=off.price_months,
        list_price=off.list_price,
        list_months=off.list_months,
        months=months_begun(since, last),
    )


def _kept(books: Books) -> ir.Table:
    """Live lines with the grandfathered one that they continue, and the rate card's price."""
    old = carried_over.lines(books)
    old = old.filter(old.grandfathered.fill_null(False) & old.price_until.isnull())
    old = old.select("system", "key", product="product_code")
    pair = carried_over.pairs(books).filter(lambda t: t.b_status.fill_null("active") == "active")
    pair = pair.inner_join(old, ["system", "key"])
    place = ibis.row_number().over(group_by=[pair.b_system, pair.b_key], order_by=[pair.system, pair.key])
    pair = pair.mutate(place=place).filter(lambda t: t.place == 0)
    pair = pair.select("b_system", "b_key", "product", "cutover", old_system="system", old_key="key")
    line = books.table("subscription_lines", "billing").drop("list_price")
    line = line.filter(line.price_until.isnull() & ~carried_over.is_said(line.price_approved_by))
    kept = line.inner_join(pair, [line.system == pair.b_system, line.key == pair.b_key])
    kept = _unapproved(books, kept)
    kept = kept.mutate(
        product_code=ibis.coalesce(kept.product_code, kept.product), price_months=kept.price_months.fill_null(1)
    )
    card = list_prices.list_prices(books)
    return kept.inner_join(card, [kept.product_code == card.code, kept.currency == card.price_currency])


def _unapproved(books: Books, kept: ir.Table) -> ir.Table:
    """Without lines whose price is approved for good; `approved_until` is when the last approval of another ends."""
    given = approved.approvals(books, "price").group_by(p_line="record_key")
    given = given.agg(approved_until=lambda t: t.until_date.fill_null(FOREVER).max())
    both = kept.left_join(given, kept.key == given.p_line).drop("p_line")
    return both.filter((both.approved_until < FOREVER).fill_null(True))


def _unlocked(books: Books, rows: ir.Table) -> ir.Table:
    """Without lines whose contract has an end and asks for no more; a bundle is billed with the prices of its parts."""
    agreed = _agreed(books)
    both = rows.inner_join(agreed, rows.contract_line_key == agreed.c_key)
    is_agreed = both.unit_price.cast(_PRICE) * both.c_months >= both.c_price.cast(_PRICE) * both.price_months
    return rows.anti_join(both.filter(is_agreed).select("system", "key"), ["system", "key"])


def _agreed(books: Books) -> ir.Table:
    """Prices by contract line that an end locks: its own, or that of the step which its ramp has reached."""
    line = terms.LINES.table.filter(lambda t: t.ends_on < FOREVER)
    own = line.filter(line.segment.isnull()).select(c_key="key", c_price="unit_price", c_months="price_months")
    step = line.filter(line.segment.notnull()).cross_join(books.request.select("today"))
    step = step.filter(step.start_date <= step.today)
    whole = terms.ROWS.table.select("base_key", "own_key").distinct()
    step = step.inner_join(whole, step.key == whole.own_key)
    place = ibis.row_number().over(group_by=step.base_key, order_by=[step.segment.desc(), step.key])
    reached = step.mutate(place=place).filter(lambda t: t.place == 0)
    reached = reached.select(c_key="base_key", c_price="unit_price", c_months="price_months")
    return own.union(reached).distinct()


CHECK = Check(
    id="legacy_price_without_expiry",
    doc=__doc__,
    pattern=Pattern.MIGRATION,
    severity=Severity.S3,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        *carried_over.NEEDS,
        *terms.NEEDS,
        *list_prices.NEEDS,
        *approved.NEEDS,
    ),
    arithmetic=Arithmetic.of("list_price * quantity * months / list_months", "rate * quantity * months / rate_months"),
    message=(
        "{quantity} of {product_code} are billed at {rate} {currency}, kept from {old_system}, where the card says "
        "{list_price}; no end and no approval are on record: {amount} {currency} in {months} months."
    ),
    find=find,
)
