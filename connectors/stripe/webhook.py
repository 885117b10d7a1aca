"""What Stripe posts to us: signed with the endpoint's secret, and repeated until it is answered (vendors.md C3)."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.contract import Notified
from connectors.errors import WebhookRefused
from connectors.http import parsed
from connectors.stripe.resources import RESOURCES

# How far the moment of signing may be from now, before or after.
TOLERANCE_S = 300
_HEADER = "stripe-signature"


def read(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notified:
    """A WebhookReader. `records` name the object of the event, and under the names of what lives in lists of it
    (`line_item` of an `invoice`) the same id, which `fetch` takes.

    While a secret is being replaced Stripe signs with both: one of the signatures must be right.
    """
    moment, signatures = _signed(headers.get(_HEADER, ""))
    if abs(now.timestamp() - int(moment)) > TOLERANCE_S:
        raise WebhookRefused("The webhook of Stripe was signed too long before or after now. Check the clock.")
    expected = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    # All of them are compared, so that the time it takes does not tell which one came near.
    if not any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in signatures):
        raise WebhookRefused("The signature of a webhook of Stripe is wrong. Check the secret of the endpoint.")
    return _message(body)


def _signed(header: str) -> tuple[str, Sequence[str]]:
    """The moment and the signatures of the present scheme, v1. Raises WebhookRefused where either is missing."""
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    moments = [value for name, value in pairs if name == "t"]
    signatures = [value for name, value in pairs if name == "v1"]
    if len(moments) != 1 or not (moments[0].isascii() and moments[0].isdigit()) or len(moments[0]) > 15:
        raise WebhookRefused("The webhook of Stripe has no signature, or one without its moment.")
    if not signatures:
        raise WebhookRefused("The webhook of Stripe has no signature of the scheme v1.")
    return moments[0], signatures


def _message(body: bytes) -> Notified:
    """Raises WebhookRefused for a body that is no event."""
    try:
        event = parsed(body)
    except ValueError as error:
        raise WebhookRefused("The webhook of Stripe is not JSON.") from error
    if not isinstance(event, dict) or not all(isinstance(event.get(name), str) for name in ("id", "type")):
        raise WebhookRefused("The webhook of Stripe is not an event.")
    return Notified(event["id"], event["type"], _records(event))


def _records(event: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Nothing for an event whose object has no id yet, as that of an invoice to come."""
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    if not isinstance(thing, dict) or not isinstance(thing.get("id"), str) or not isinstance(thing.get("object"), str):
        return {}
    name, identity = thing["object"], thing["id"]
    within = [child.name for child in RESOURCES.values() if child.parent == name]
    beside = RESOURCES[name].parent if name in RESOURCES else ""
    parent = thing.get(RESOURCES[name].link) if beside else None
    named = {name: (identity,), **dict.fromkeys(within, (identity,))}
    return {**named, beside: (parent,)} if isinstance(parent, str) else named
