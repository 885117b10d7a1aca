"""How an object looks in an API version: before and since 2025-03-31, when billing objects were rearranged.

Since then the period of a subscription is on its items, an invoice names its subscription under `parent`, lines name
their price under `pricing` and their taxes in `taxes` (vendors.md C3, and Stripe's changelog of that version).
"""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import Refusal

Object = dict[str, Any]
_WRITTEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.([a-z]+))?")
_NAMES = ("acacia", "basil", "clover", "dahlia")
# From here on versions have names, and since the second date the rearranged shapes.
_NAMED, _REARRANGED = "2024-09-30", "2025-03-31"


@dataclass(frozen=True)
class Version:
    """An API version, such as 2026-04-22.dahlia or 2020-08-27."""

    text: str
    day: str

    @classmethod
    def of(cls, text: str) -> "Version":
        """Raises Refusal for what is no version."""
        written = _WRITTEN.fullmatch(text)
        day, name = written.groups() if written else ("", None)
        if not day or (name not in _NAMES if day >= _NAMED else name is not None):
            raise Refusal(400, f"Invalid Stripe API version: {text}")
        return cls(text, day)

    @property
    def rearranged(self) -> bool:
        return self.day >= _REARRANGED


def rendered(name: str, thing: Object, version: Version) -> Object:
    """The object in that version; `thing` is the caller's own and may be changed."""
    if version.rearranged:
        return thing
    older = {"subscription": _subscription, "invoice": _invoice, "line_item": _line}
    return older[name](thing) if name in older else thing


def _subscription(thing: Object) -> Object:
    """The items of older versions share one period, which is the subscription's."""
    items = thing["items"]["data"]
    for name in ("current_period_start", "current_period_end"):
        periods = [item.pop(name, None) for item in items]
        thing[name] = next((period for period in periods if period is not None), None)
    return thing


def _invoice(thing: Object) -> Object:
    details = (thing.pop("parent", None) or {}).get("subscription_details") or {}
    taxes = thing.pop("total_taxes", None)
    thing["subscription"] = details.get("subscription")
    thing["total_tax_amounts"] = [_tax(tax) for tax in taxes or ()]
    thing["tax"] = sum(tax["amount"] for tax in taxes) if taxes else None
    return thing


def _line(thing: Object) -> Object:
    parent = thing.pop("parent", None) or {}
    of_item, of_invoice_item = parent.get("subscription_item_details"), parent.get("invoice_item_details")
    details = of_item or of_invoice_item or {}
    pricing = thing.pop("pricing", None) or {}
    named = pricing.get("price_details") or {}
    thing["type"] = "subscription" if of_item else "invoiceitem"
    thing["subscription"] = details.get("subscription")
    thing["subscription_item"] = details.get("subscription_item")
    thing["proration"] = bool(details.get("proration"))
    thing["tax_amounts"] = [_tax(tax) for tax in thing.pop("taxes", None) or ()]
    amount = pricing.get("unit_amount_decimal")
    price = {"id": named.get("price"), "object": "price", "product": named.get("product")}
    price |= {"currency": thing["currency"], "unit_amount_decimal": amount}
    thing["price"] = price if pricing else None
    return thing


def _tax(tax: Object) -> Object:
    return {"amount": tax["amount"], "inclusive": tax.get("tax_behavior") == "inclusive"}
