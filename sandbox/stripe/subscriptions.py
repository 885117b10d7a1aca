"""Subscriptions, made from prices."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.account import Object, StripeAccount
from sandbox.stripe.errors import lacking, missing, unknown
from sandbox.stripe.params import whole

_MONTHS = {"month": 1, "year": 12}
_CREATE = frozenset(("customer", "items", "metadata", "collection_method", "days_until_due", "description", "expand"))


def subscribe(account: StripeAccount, params: Mapping[str, Any]) -> str:
    """A subscription that begins now, with an item for each price. Raises Refusal."""
    for name in params:
        if name not in _CREATE:
            raise unknown(name)
    for name in ("customer", "items"):
        if not params.get(name):
            raise lacking(name)
    if account.get("customer", params["customer"]) is None:
        raise missing("customer", params["customer"], "customer")
    prices = [_price(account, item, place) for place, item in enumerate(params["items"])]
    fields = {name: value for name, value in params.items() if name not in ("items", "expand")}
    subscription = account.put(
        "subscription", {**fields, "currency": prices[0]["currency"], "start_date": account.now()}, quiet=True
    )
    for item, price in zip(params["items"], prices, strict=True):
        made = {"price": price, "quantity": whole(item, "quantity"), "subscription": subscription}
        account.put("subscription_item", {**made, **_period(account.now(), price)}, quiet=True)
    account.emit("customer.subscription.created", "subscription", subscription)
    return subscription


def _price(account: StripeAccount, item: Mapping[str, Any], place: int) -> Object:
    named = str(item.get("price") or "")
    price = account.get("price", named)
    if price is None:
        raise missing("price", named, f"items[{place}][price]")
    return price


def _period(start: int, price: Object) -> Object:
    """The first period; one that begins in the last days of a month ends on the 28th."""
    recurring = price["recurring"]
    moment = datetime.fromtimestamp(start, UTC)
    months = moment.month - 1 + _MONTHS.get(recurring["interval"], 1) * int(recurring["interval_count"])
    end = moment.replace(year=moment.year + months // 12, month=months % 12 + 1, day=min(moment.day, 28))
    return {"current_period_start": start, "current_period_end": int(end.timestamp())}
