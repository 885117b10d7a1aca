"""The six reference checks, twice: as Ibis expressions over the books, and as the SQL that one would write by hand.

The hand-written SQL over plain Parquet is the floor that the books are measured against.
"""

from collections.abc import Callable, Mapping

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books

GUARD = 0.005
APART = 0.005


def amendments_without_schedule(books: Books) -> ir.Table:
    amendments, schedules = books.table("amendments", "billing"), books.table("billing_schedules", "billing")
    same = (amendments.subscription_key == schedules.subscription_key) & (
        amendments.effective_date == schedules.start_date
    )
    return amendments.anti_join(schedules, same).select("key")


def lines_unlike_subscription(books: Books) -> ir.Table:
    joined = _with_line(books)
    apart = (joined.quantity - joined.line_quantity).abs() > GUARD
    return joined.filter(apart | ((joined.unit_price - joined.line_price).abs() > GUARD)).select("key")


def usage_of_unknown_subscription(books: Books) -> ir.Table:
    usage, subscriptions = books.table("usage_events", "billing"), books.table("subscriptions", "billing")
    return usage.anti_join(subscriptions, usage.subscription_number == subscriptions.number).select("key")


def duplicate_usage_ids(books: Books) -> ir.Table:
    usage = books.table("usage_events", "billing")
    return usage.group_by("event_id").aggregate(times=usage.count()).filter(ibis._.times > 1)


def lines_outside_term(books: Books) -> ir.Table:
    lines, subscriptions = books.table("invoice_lines", "billing"), books.table("subscriptions", "billing")
    terms = subscriptions.select(subscription_key="key", start_date="start_date", end_date="end_date")
    joined = lines.join(terms, "subscription_key")
    outside = (joined.period_start < joined.start_date) | (joined.period_start >= joined.end_date)
    return joined.filter(outside).select("key")


def billed_unlike_contracted(books: Books) -> ir.Table:
    lines = _with_line(books)
    monthly = lines.group_by("subscription_key", "period_start").aggregate(
        billed=lines.amount.sum(), contracted=product(lines.line_quantity, lines.line_price).sum()
    )
    gap = (monthly.billed - monthly.contracted).abs()
    return monthly.filter(gap > monthly.contracted * ibis.literal(APART, "decimal(4,3)")).select(
        "subscription_key", "period_start"
    )


def _with_line(books: Books) -> ir.Table:
    lines, charges = books.table("invoice_lines", "billing"), books.table("subscription_lines", "billing")
    terms = charges.select(subscription_line_key="key", line_quantity="quantity", line_price="unit_price")
    return lines.join(terms, "subscription_line_key")


CHECKS: Mapping[str, Callable[[Books], ir.Table]] = {
    check.__name__: check
    for check in (
        amendments_without_schedule,
        lines_unlike_subscription,
        usage_of_unknown_subscription,
        duplicate_usage_ids,
        lines_outside_term,
        billed_unlike_contracted,
    )
}

# {name} stands for a Parquet file.
FLOOR: Mapping[str, str] = {
    "amendments_without_schedule": """
        SELECT a.key FROM {amendments} a ANTI JOIN {billing_schedules} s
        ON a.subscription_key = s.subscription_key AND a.effective_date = s.start_date""",
    "lines_unlike_subscription": """
        SELECT l.key FROM {invoice_lines} l JOIN {subscription_lines} s ON l.subscription_line_key = s.key
        WHERE abs(l.quantity - s.quantity) > 0.005 OR abs(l.unit_price - s.unit_price) > 0.005""",
    "usage_of_unknown_subscription": """
        SELECT u.key FROM {usage_events} u ANTI JOIN {subscriptions} s ON u.subscription_number = s.number""",
    "duplicate_usage_ids": """
        SELECT event_id, count(*) AS times FROM {usage_events} GROUP BY event_id HAVING count(*) > 1""",
    "lines_outside_term": """
        SELECT l.key FROM {invoice_lines} l JOIN {subscriptions} s ON l.subscription_key = s.key
        WHERE l.period_start < s.start_date OR l.period_start >= s.end_date""",
    "billed_unlike_contracted": """
        SELECT l.subscription_key, l.period_start FROM {invoice_lines} l
        JOIN {subscription_lines} s ON l.subscription_line_key = s.key
        GROUP BY ALL HAVING abs(sum(l.amount) - sum(s.quantity::DECIMAL(38,6) * s.unit_price))
            > 0.005 * sum(s.quantity::DECIMAL(38,6) * s.unit_price)""",
}
