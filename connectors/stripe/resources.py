"""The objects of Stripe that can be mapped: where each is listed, and which events speak of it (vendors.md C3).

A mapping names an object by its `object` word (`customer`, `line_item`). Objects that live in a list of another one
are read through that other one, and carry it as `_parent`, their place in the list as `_number`, from 1, and the
one before them as `_previous`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Event types in one request (docs.stripe.com, "List all events").
MOST_TYPES = 20


@dataclass(frozen=True)
class Resource:
    """One kind of object.

    `path` lists it, and `path/{id}` is one of it; empty where Stripe has no such address. `params` go with every list.
    `expand` are fields of the object that is asked for which Stripe leaves out unless they are named.

    For one in a list of another: `parent` is the other's name and `link` the field that holds its id. `within` is the
    field of the parent that holds the list, or its beginning, and `rest` the address and the parameters of all of it.
    `prefix` is how its own ids begin, which tells them from the parent's; empty where it has none.
    """

    name: str
    path: str = ""
    events: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    expand: tuple[str, ...] = ()
    parent: str = ""
    link: str = ""
    within: str = ""
    rest: tuple[str, Mapping[str, str]] = ("", {})
    prefix: str = ""

    @property
    def walks_parent(self) -> bool:
        """Whether all of it can be read only by reading all of its parents."""
        return bool(self.within)

    @property
    def deletes(self) -> tuple[str, ...]:
        """The events that may say that one is gone. `customer.subscription.deleted` only says that it ended.

        None for one in a list of another: those events are the other's.
        """
        return () if self.parent else tuple(name for name in self.events if name.endswith(".deleted"))


def _types(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names)


_EDITED = ("created", "updated", "deleted")
_INVOICE = _types(
    "invoice",
    *_EDITED,
    *("finalized", "finalization_failed", "sent", "paid", "overpaid", "overdue", "will_be_due", "voided"),
    *("marked_uncollectible", "payment_failed", "payment_succeeded", "payment_action_required"),
)
_SUBSCRIPTION = _types(
    "customer.subscription",
    *_EDITED,
    *("paused", "resumed", "pending_update_applied", "pending_update_expired", "trial_will_end"),
)
_METER = _types("billing.meter", "created", "updated", "deactivated", "reactivated")
_PRICE = _types("price", *_EDITED)
_CREDIT_NOTE = _types("credit_note", "created", "updated", "voided")

RESOURCES: Mapping[str, Resource] = {
    resource.name: resource
    for resource in (
        Resource("customer", "/v1/customers", _types("customer", *_EDITED)),
        Resource("product", "/v1/products", _types("product", *_EDITED)),
        Resource("price", "/v1/prices", _PRICE),
        Resource("tier", "", _PRICE, expand=("tiers",), parent="price", link="price", within="tiers"),
        Resource("plan", "/v1/plans", _types("plan", *_EDITED)),
        Resource("coupon", "/v1/coupons", _types("coupon", *_EDITED)),
        Resource("subscription", "/v1/subscriptions", _SUBSCRIPTION, {"status": "all"}),
        Resource(
            "subscription_item",
            "/v1/subscription_items",
            _SUBSCRIPTION,
            parent="subscription",
            link="subscription",
            within="items",
            rest=("/v1/subscription_items", {"subscription": "{id}"}),
            prefix="si_",
        ),
        Resource("invoice", "/v1/invoices", _INVOICE),
        Resource(
            "line_item",
            events=(*_INVOICE, *_types("invoiceitem", "created", "deleted")),
            parent="invoice",
            link="invoice",
            within="lines",
            rest=("/v1/invoices/{id}/lines", {}),
            prefix="il_",
        ),
        Resource(
            "invoice_payment",
            "/v1/invoice_payments",
            (*_INVOICE, "invoice_payment.paid"),
            parent="invoice",
            link="invoice",
            rest=("/v1/invoice_payments", {"invoice": "{id}"}),
            prefix="inpay_",
        ),
        Resource("invoiceitem", "/v1/invoiceitems", _types("invoiceitem", *_EDITED)),
        Resource("credit_note", "/v1/credit_notes", _CREDIT_NOTE),
        Resource(
            "credit_note_line_item",
            events=_CREDIT_NOTE,
            parent="credit_note",
            link="credit_note",
            within="lines",
            rest=("/v1/credit_notes/{id}/lines", {}),
            prefix="cnli_",
        ),
        Resource(
            "charge",
            "/v1/charges",
            _types("charge", "succeeded", "updated", "captured", "expired", "failed", "pending", "refunded"),
        ),
        Resource(
            "payment_intent",
            "/v1/payment_intents",
            _types(
                "payment_intent",
                *("created", "succeeded", "canceled", "processing", "payment_failed", "requires_action"),
                *("amount_capturable_updated", "partially_funded"),
            ),
        ),
        Resource("refund", "/v1/refunds", _types("refund", "created", "updated", "failed")),
        Resource(
            "billing.meter",
            "/v1/billing/meters",
            _types("billing.meter", "created", "updated", "deactivated", "reactivated"),
        ),
        Resource("billing.meter_event_summary"),
    )
}
SUMMARY = "billing.meter_event_summary"
