"""Usage arrived for somebody whom billing does not know.

Why it matters: the service was used, and there is no customer or subscription on which it could be billed. Such
events fall out of rating without a sound, so the loss is seen only by whoever looks for it.

Usual cause: the meter sends an identifier that was never entered in the CRM, an account was merged or mistyped, or
usage began before the subscription was set up.

How to fix: link the identifier to its account and subscription, then have the events rated again. Where a link is
proposed, confirm or reject it. If the identifier belongs to a test tenant, mark it as a test at the meter.

What it is not: an event that arrived a moment before its subscription did, and events of test tenants.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import month_of, months_later
from checks.confidence import of_link
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
from checks.facts import subscribed
from checks.facts.customers import of_customers
from checks.facts.meter_prices import NEEDS as PRICE_NEEDS
from checks.facts.meter_prices import list_prices, name_of
from checks.rows import candidates, reference


def find(books: Books, params: Params) -> ir.Table:
    """One row per customer as the meter knows it, meter and month; the first event stands for all."""
    lost = _lost(books)
    lost = lost.mutate(
        customer=ibis.coalesce(lost.account_id, lost.subject, "nobody"), month=month_of(lost.happened_at.date())
    )
    lost = lost.mutate(meter=lost.meter.fill_null("unknown"))
    groups = lost.group_by("system", "customer", "meter", "month").agg(
        key=lost.key.first(order_by=[lost.happened_at, lost.key]),
        account_key=lost.account_key.max(),
        quantity=lost.quantity.sum().cast("decimal(38, 6)"),
        events=lost.count(),
        first_received=lost.received_at.min(),
    )
    price = list_prices(books)
    groups = _with_proposals(groups, books)
    rows = groups.mutate(named=name_of(groups.meter)).left_join(price, ["named"])
    rows = rows.mutate(
        unit_price=ibis.coalesce(rows.list_price, params.decimal("fallback_price")),
        currency=ibis.coalesce(rows.price_currency, params.text("fallback_currency")),
        basis=rows.list_price.notnull().ifelse("at list price", "at the fallback price, for no list price is known"),
    )
    is_large = product(rows.quantity, rows.unit_price) > params.decimal("block_over")
    return candidates(
        rows,
        "usage_events",
        "customer",
        "meter",
        "events",
        "basis",
        "perhaps",
        subject=rows.customer + "/" + rows.meter,
        period=(rows.month, months_later(rows.month, 1)),
        evidence=ibis.array(
            [reference(rows.system, "usage_events", rows.key), reference(rows.p_system, "accounts", rows.p_key)]
        ),
        fails_from=rows.first_received + ibis.interval(days=params.whole("settle_days")),
        known_at=rows.first_received,
        mode=is_large.ifelse(Mode.BLOCK.value, Mode.WARN.value),
        quantity=rows.quantity,
        unit_price=rows.unit_price,
        **of_link(rows.p_basis, rows.p_score).columns(),
    )


def _with_proposals(groups: ir.Table, books: Books) -> ir.Table:
    """With the likeliest of the customers to whom a name of the meter may belong, which nobody has confirmed yet."""
    link = books.table("links", "controls").filter(lambda t: (t.basis == "matched") & (t.left_entity == "usage_events"))
    best = link.group_by(p_meter="left_system", p_customer="left_key").agg(
        p_score=link.score.max(),
        p_system=link.right_system.argmax(link.score),
        p_key=link.right_key.argmax(link.score),
        p_reason=link.reason.argmax(link.score),
    )
    joined = groups.left_join(best, [groups.system == best.p_meter, groups.customer == best.p_customer])
    perhaps = ibis.literal(" It may be ") + joined.p_key + " (" + joined.p_reason + ")."
    return joined.mutate(
        p_basis=joined.p_key.notnull().ifelse("matched", "declared"), perhaps=ibis.coalesce(perhaps, "")
    )


def _lost(books: Books) -> ir.Table:
    """Events that are no test and name no account, an account without subscription, or an unknown subscription."""
    event = books.table("usage_events", "usage").filter(lambda t: ~t.is_test.fill_null(False))
    known = subscribed.current(books).filter(lambda t: t.status.fill_null("active") != "draft")
    accounts = known.select(k_account="account_key").distinct().mutate(is_customer=True)
    numbers = known.select(k_number="number").distinct().mutate(is_number=True)
    event = of_customers(books, event)
    joined = event.left_join(accounts, event.account_key == accounts.k_account)
    joined = joined.left_join(numbers, joined.subscription_number == numbers.k_number)
    names_none = joined.subscription_number.fill_null("") == ""
    return joined.filter(joined.is_customer.isnull() | (joined.is_number.isnull() & ~names_none))


CHECK = Check(
    id="usage_unmatched_account",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S1,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.BLOCK,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.EVERYTHING,
    needs=(
        Need("usage_events", "usage"),
        Need("accounts", "crm"),
        Need("accounts", "billing").where_filled(),
        Need("subscriptions", "billing"),
        Need("links", "controls").where_filled(),
        *PRICE_NEEDS,
    ),
    settings=(
        Setting("settle_days", 3, "Days after its arrival in which an event may still find its subscription."),
        Setting("block_over", 250, "Estimates up to this amount warn; larger ones block. It is the band of S3."),
        Setting("fallback_price", 0, "Price of a unit where the books hold no list price: an amount is not invented."),
        Setting("fallback_currency", "USD", "Currency of an estimate where the books hold no list price."),
    ),
    absent_from=Need("subscriptions", "billing"),
    arithmetic=Arithmetic.of("quantity * unit_price", "0"),
    message=(
        "{events} events of {customer} on the meter {meter} belong to nobody who is billed: {quantity} units, "
        "{amount} {currency} {basis}.{perhaps}"
    ),
    find=find,
)
