"""Webhooks: an event as Stripe posts it to an endpoint, signed with the endpoint's secrets (vendors.md C3)."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from connectors.http import certificates


def signature(body: bytes, secrets: Sequence[str], moment: int) -> str:
    """The header `Stripe-Signature`; with two secrets while one of them is being replaced."""
    signed = f"{moment}.".encode() + body
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    # The scheme v0 is that of test events, and proves nothing.
    return ",".join([f"t={moment}", *(f"v1={text}" for text in made), f"v0={'0' * 64}"])


def message(event: Mapping[str, Any]) -> bytes:
    """The body: indented, as Stripe sends it, so that only the raw bytes verify."""
    return json.dumps(event, indent=2).encode()


def deliver(event: Mapping[str, Any], url: str, secrets: Sequence[str], moment: int) -> int:
    """Post an event; returns the status of the answer."""
    body = message(event)
    headers = {"content-type": "application/json; charset=utf-8", "stripe-signature": signature(body, secrets, moment)}
    return httpx.post(url, content=body, headers=headers, timeout=10.0, verify=certificates()).status_code
