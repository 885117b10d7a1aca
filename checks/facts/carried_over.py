"""What was carried over from the billing system before this one: each old line with the lines that bill it now.

The snapshot shows the old system on its last day, so the new one begins on the day after, the cut-over. What had ended
by then was not carried over. A line's successors are the one that it names, else those of the signed crosswalk: a line
may have been split, and several lines may have become one.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.arithmetic.periods import FOREVER, days_later
from checks.contract import Need
from checks.facts import subscribed

NEEDS = (
    Need("legacy_subscriptions", "legacy"),
    Need("legacy_subscription_lines", "legacy"),
    Need("links", "legacy").where_filled(),
    *subscribed.NEEDS,
    Need("billing_schedules", "billing").where_filled(),
)
_GONE = ("cancelled", "expired", "draft")


def subscriptions(books: Books) -> ir.Table:
    """Old subscriptions that ran on the last day, with `cutover` and `signed`: a person approved what was changed."""
    old = books.table("legacy_subscriptions", "legacy")
    old = old.mutate(cutover=days_later(old.snapshot_date, 1), signed=is_said(old.approved_by))
    ends = ibis.least(old.end_date.fill_null(FOREVER), old.cancelled_date.fill_null(FOREVER))
    return old.filter(~old.status.fill_null("active").isin(_GONE) & (old.cutover < ends))


def lines(books: Books) -> ir.Table:
    """Their recurring lines; `yearly` is twelve monthly amounts, `signed_yearly` what was approved to change."""
    of = subscriptions(books).select(
        "cutover", o_system="system", o_key="key", o_account="account_key", o_currency="currency"
    )
    line = books.table("legacy_subscription_lines", "legacy")
    line = line.filter(line.charge_type.fill_null("recurring") == "recurring")
    line = line.inner_join(of, [line.system == of.o_system, line.subscription_key == of.o_key])
    line = line.filter(line.cutover < line.end_date.fill_null(FOREVER))
    months = line.price_months.fill_null(1)
    signed = is_said(line.approved_by)
    return line.mutate(
        account_key=ibis.coalesce(line.account_key, line.o_account),
        currency=ibis.coalesce(line.currency, line.o_currency),
        price_months=months,
        yearly=ibis.coalesce(yearly(line.monthly_amount), per_year(line.quantity, line.unit_price, months)),
        signed=signed,
        signed_yearly=yearly(signed.ifelse(line.expected_delta.fill_null(0), 0)),
    )


def pairs(books: Books) -> ir.Table:
    """One row per old line and line that bills it now, with the columns `b_` of the latter as at the cut-over."""
    line = lines(books).select("system", "key", "cutover", "successor_key", of="subscription_key")
    named = line.filter(line.successor_key.notnull()).select("system", "key", "of", "cutover", b_key="successor_key")
    link = books.table("links", "legacy").select(l_left="left_system", l_key="left_key", b_key="right_key")
    unnamed = line.filter(line.successor_key.isnull())
    linked = unnamed.inner_join(link, [unnamed.system == link.l_left, unnamed.key == link.l_key])
    pair = named.union(linked.select(*named.columns)).distinct()
    now = subscribed.LINES.table.select(
        *("quantity", "unit_price", "price_months", "status"),
        b_system="system",
        b_line="key",
    )
    pair = pair.inner_join(now, pair.b_key == now.b_line)
    schedule = books.table("billing_schedules", "billing").select(
        s_system="system", s_line="subscription_line_key", s_start="start_date", s_end="end_date",
        s_quantity="quantity", s_price="unit_price",
    )  # fmt: skip
    pair = pair.left_join(
        schedule,
        [
            pair.b_system == schedule.s_system,
            pair.b_key == schedule.s_line,
            pair.cutover < schedule.s_end.fill_null(FOREVER),
        ],
    )
    place = ibis.row_number().over(
        group_by=[pair.system, pair.key, pair.b_system, pair.b_key], order_by=[pair.s_start, pair.s_end]
    )
    pair = pair.mutate(place=place).filter(lambda t: t.place == 0)
    quantity = ibis.coalesce(pair.s_quantity, pair.quantity)
    price = ibis.coalesce(pair.s_price, pair.unit_price)
    return pair.select(
        *("system", "key", "of", "cutover", "b_system", "b_key"),
        b_status="status",
        b_quantity=quantity,
        b_price=price,
        b_months="price_months",
        b_yearly=per_year(quantity, price, pair.price_months),
    )


def yearly(monthly: ir.DecimalValue) -> ir.DecimalValue:
    """Twelve times the amount of a month."""
    return product(monthly, ibis.literal(12))


def is_said(text: ir.StringValue) -> ir.BooleanValue:
    """Whether a text says anything."""
    return text.fill_null("").strip() != ""
