"""The kinds of objects that the simulated account holds, with their fields as the present API version has them.

Fields that nobody reads are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    `path` is its list under /v1; empty where it is read only within another. `event` is what its events begin with.
    `filters` are the parameters of its list that compare a field. `needs` are those of them that must be given.
    `holds` are lists of another kind within it: the field, the kind, and the field there that names this one.
    `vanishes`: whether a deleted one is answered with 404, and not with a stub that says so. `stamped`: whether it says
    when it was made.
    """

    name: str
    prefix: str
    path: str = ""
    event: str = ""
    noun: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    filters: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    holds: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    vanishes: bool = True
    stamped: bool = True


_NONES = dict.fromkeys
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "customer",
            "cus_",
            "customers",
            "customer",
            defaults={
                **_NONES(("address", "currency", "description", "email", "name", "phone", "test_clock")),
                "balance": 0,
                "delinquent": False,
                "invoice_prefix": "7FE1103",
                "metadata": {},
                "tax_exempt": "none",
            },
            filters=("email",),
            vanishes=False,
        ),
        Kind(
            "product",
            "prod_",
            "products",
            "product",
            defaults={
                **_NONES(("default_price", "description", "tax_code", "unit_label", "url")),
                "active": True,
                "images": [],
                "metadata": {},
                "name": "",
                "type": "service",
            },
            filters=("active",),
        ),
        Kind(
            "price",
            "price_",
            "prices",
            "price",
            defaults={
                **_NONES(("custom_unit_amount", "lookup_key", "nickname", "tiers_mode", "transform_quantity")),
                "active": True,
                "billing_scheme": "per_unit",
                "currency": "usd",
                "metadata": {},
                "product": "",
                "recurring": {
                    "interval": "month",
                    "interval_count": 1,
                    "meter": None,
                    "trial_period_days": None,
                    "usage_type": "licensed",
                },
                "tax_behavior": "unspecified",
                "type": "recurring",
                "unit_amount": 0,
                "unit_amount_decimal": "0",
            },
            filters=("active", "currency", "product", "type"),
        ),
        Kind(
            "subscription",
            "sub_",
            "subscriptions",
            "customer.subscription",
            defaults={
                **_NONES(("cancel_at", "canceled_at", "ended_at", "latest_invoice", "pause_collection", "schedule")),
                **_NONES(("trial_end", "trial_start", "description")),
                "cancel_at_period_end": False,
                "collection_method": "charge_automatically",
                "currency": "usd",
                "customer": "",
                "metadata": {},
                "status": "active",
            },
            filters=("customer", "status", "collection_method"),
            holds={"items": ("subscription_item", "subscription")},
        ),
        Kind(
            "subscription_item",
            "si_",
            "subscription_items",
            noun="subscription item",
            defaults={"metadata": {}, "price": {}, "quantity": 1, "subscription": "", "tax_rates": [], "discounts": []},
            filters=("subscription",),
            needs=("subscription",),
        ),
        Kind(
            "invoice",
            "in_",
            "invoices",
            "invoice",
            defaults={
                **_NONES(("automatically_finalizes_at", "default_payment_method", "description", "due_date", "number")),
                **_NONES(("effective_at", "next_payment_attempt", "parent", "total_taxes")),
                "amount_due": 0,
                "amount_paid": 0,
                "amount_remaining": 0,
                "attempted": False,
                "auto_advance": False,
                "billing_reason": "manual",
                "collection_method": "charge_automatically",
                "currency": "usd",
                "customer": "",
                "metadata": {},
                "period_end": 0,
                "period_start": 0,
                "status": "draft",
                "status_transitions": {
                    **_NONES(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
                },
                "subtotal": 0,
                "total": 0,
            },
            filters=("customer", "status", "subscription", "collection_method"),
            holds={"lines": ("line_item", "invoice")},
        ),
        Kind(
            "line_item",
            "il_",
            noun="line item",
            defaults={
                **_NONES(("description", "parent", "pricing", "taxes", "subscription")),
                "amount": 0,
                "currency": "usd",
                "discount_amounts": [],
                "discountable": True,
                "invoice": "",
                "metadata": {},
                "period": {"end": 0, "start": 0},
                "quantity": 1,
            },
            stamped=False,
        ),
        Kind(
            "invoiceitem",
            "ii_",
            "invoiceitems",
            "invoiceitem",
            defaults={
                **_NONES(("description", "invoice", "parent", "pricing")),
                "amount": 0,
                "currency": "usd",
                "customer": "",
                "metadata": {},
                "period": {"end": 0, "start": 0},
                "proration": False,
                "quantity": 1,
            },
            filters=("customer", "invoice"),
            stamped=False,
        ),
        Kind(
            "invoice_payment",
            "inpay_",
            "invoice_payments",
            "invoice_payment",
            noun="invoice payment",
            defaults={
                "amount_paid": None,
                "amount_requested": 0,
                "currency": "usd",
                "invoice": "",
                "is_default": True,
                "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
                "status": "open",
                "status_transitions": {"canceled_at": None, "paid_at": None},
            },
            filters=("invoice", "status"),
        ),
        Kind(
            "credit_note",
            "cn_",
            "credit_notes",
            "credit_note",
            noun="credit note",
            defaults={
                **_NONES(("memo", "reason", "voided_at", "effective_at")),
                "amount": 0,
                "currency": "usd",
                "customer": "",
                "invoice": "",
                "metadata": {},
                "number": "",
                "status": "issued",
                "subtotal": 0,
                "total": 0,
                "type": "pre_payment",
            },
            filters=("customer", "invoice"),
            holds={"lines": ("credit_note_line_item", "credit_note")},
        ),
        Kind(
            "credit_note_line_item",
            "cnli_",
            noun="credit note line item",
            defaults={"amount": 0, "description": None, "quantity": 1, "type": "custom_line_item"},
            stamped=False,
        ),
        Kind(
            "charge",
            "ch_",
            "charges",
            "charge",
            defaults={"amount": 0, "currency": "usd", "customer": None, "paid": True, "status": "succeeded"},
            filters=("customer", "payment_intent"),
        ),
        Kind(
            "payment_intent",
            "pi_",
            "payment_intents",
            "payment_intent",
            defaults={"amount": 0, "amount_received": 0, "currency": "usd", "customer": None, "status": "succeeded"},
            filters=("customer",),
        ),
        Kind(
            "refund",
            "re_",
            "refunds",
            "refund",
            defaults={"amount": 0, "charge": None, "currency": "usd", "metadata": {}, "status": "succeeded"},
            filters=("charge", "payment_intent"),
        ),
        Kind(
            "plan",
            "plan_",
            "plans",
            "plan",
            defaults={"active": True, "amount": 0, "amount_decimal": "0", "currency": "usd", "interval": "month"},
            filters=("active", "product"),
        ),
        Kind(
            "billing.meter",
            "mtr_",
            "billing/meters",
            "billing.meter",
            noun="meter",
            defaults={
                "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
                "default_aggregation": {"formula": "sum"},
                "display_name": "",
                "event_name": "",
                "event_time_window": None,
                "status": "active",
                "status_transitions": {"deactivated_at": None},
                "value_settings": {"event_payload_key": "value"},
            },
            filters=("status",),
        ),
        Kind("event", "evt_", "events", noun="event", filters=("type", "types")),
    )
}
# Objects whose list can be filtered by the moment at which they were made.
CREATED = frozenset(KINDS) - {"line_item", "invoiceitem", "subscription_item", "billing.meter", "credit_note_line_item"}
