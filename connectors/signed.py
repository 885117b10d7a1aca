"""A message from anybody who shares a secret with us, signed as Tieout signs what it sends (`alerts/webhook.py`).

    Tieout-Signature: t=1764240000,v1=<hex HMAC-SHA256 of "1764240000." + body, keyed with the shared secret>

    {"id": "evt-1", "kind": "price changed", "records": {"Contract": ["8000000001", "8000000002"]}}

`id` is the same when a message is sent again. While a secret is being changed, a sender signs with both: one of
several `v1` has to be right. `records` are keys by object name of the mapping.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.contract import Notified
from connectors.errors import UnreadableMessage, WebhookRefused
from connectors.http import parsed
from connectors.notified import notified

HEADER = "tieout-signature"
# How far the sender's clock may be from ours, either way; an older message may be one that somebody kept.
TOLERANCE = timedelta(seconds=300)
LONGEST_HEADER = 4_096


def read(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notified:
    """Check the signature and read the message. A WebhookReader. Raises WebhookRefused, UnreadableMessage."""
    stamp, signatures = _parts(headers.get(HEADER, ""))
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(expected.encode(), said.encode("utf-8", "replace")) for said in signatures):
        raise WebhookRefused("No signature of the message is right.")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise WebhookRefused("The message was signed too long ago, or in the future.")
    said = message(body)
    return notified(said.get("id"), said.get("kind"), said.get("records"))


def message(body: bytes) -> Mapping[str, object]:
    """The object that a body is. Raises UnreadableMessage for anything else."""
    try:
        said = parsed(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableMessage("The body is not JSON.") from error
    if not isinstance(said, dict):
        raise UnreadableMessage("The body is not a JSON object.")
    return said


def _parts(header: str) -> tuple[str, list[str]]:
    """The stamp and every `v1`; other schemes are for other receivers."""
    parts = [part.strip().partition("=") for part in header[:LONGEST_HEADER].split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1"]
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit() and len(stamps[0]) <= 12):
        raise WebhookRefused("The message is not signed: it has no Tieout-Signature with one t.")
    return stamps[0], signatures
