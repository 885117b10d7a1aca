"""Subscription lines as they stand today, each with the current version of its subscription.

A subscription has one row per version; the highest version of a number is the current one, and a line that
names an older version belongs to the number all the same.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.relation import Relation

NEEDS = (
    Need("subscription_lines", "billing"),
    Need("subscriptions", "billing"),
    Need("accounts", "billing").where_filled(),
)


def current(books: Books) -> ir.Table:
    """The current version of every subscription: one row per (system, number)."""
    versions = _numbered(books)
    newest = ibis.row_number().over(
        group_by=[versions.system, versions.number], order_by=[versions.version.desc(), versions.key]
    )
    return versions.mutate(rank=newest).filter(lambda t: t["rank"] == 0).drop("rank")


def _lines(books: Books) -> ir.Table:
    """One row per subscription line, keyed by (system, key).

    `number`, `status`, `contract_key`, `cancelled_date`, `term_start` and `term_end` are the subscription's;
    `bill_day` and `timezone` are the account's; a missing price span or billing frequency is a month.
    """
    line = books.table("subscription_lines", "billing")
    version = _numbered(books).select(v_system="system", v_key="key", v_number="number")
    subscription = current(books).select(
        s_system="system",
        number="number",
        s_account="account_key",
        s_account_id="account_id",
        s_currency="currency",
        status="status",
        contract_key="contract_key",
        cancelled_date="cancelled_date",
        term_start="start_date",
        term_end="end_date",
        current_key="key",
    )
    account = books.table("accounts", "billing").select(
        a_system="system", a_key="key", bill_day="bill_day", timezone="timezone", a_currency="currency"
    )
    joined = line.drop("number").inner_join(
        version, [line.system == version.v_system, line.subscription_key == version.v_key]
    )
    joined = joined.inner_join(
        subscription, [joined.system == subscription.s_system, joined.v_number == subscription.number]
    )
    owner = ibis.coalesce(joined.account_id, joined.s_account_id)
    joined = joined.left_join(account, [joined.system == account.a_system, owner == account.a_key])
    return joined.mutate(
        account_key=ibis.coalesce(joined.account_key, joined.s_account),
        currency=ibis.coalesce(joined.currency, joined.s_currency, joined.a_currency),
        price_months=joined.price_months.fill_null(1),
        billing_months=ibis.coalesce(joined.billing_months, joined.price_months, 1),
    ).select(
        "system", "key", "account_key", "number", "status", "contract_key", "contract_line_key", "product_code",
        "name", "charge_type", "quantity", "unit_price", "price_months", "currency", "billing_months",
        "billing_timing", "unit", "start_date", "end_date", "charged_through", "free_until", "cancelled_date",
        "term_start", "term_end", "bill_day", "timezone", "modified_at", "current_key", "model", "included_quantity",
        "package_size", "minimum_amount", "maximum_amount", "is_trial",
    )  # fmt: skip


def _numbered(books: Books) -> ir.Table:
    """All versions; a system without numbers keeps one row per subscription."""
    versions = books.table("subscriptions", "billing")
    return versions.mutate(number=ibis.coalesce(versions.number, versions.key), version=versions.version.fill_null(1))


LINES = Relation("subscribed_lines", _lines)
