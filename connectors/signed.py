"""Messages from anybody who shares a secret with us, signed as Tieout signs what it sends (`alerts/webhook.py`).

    Tieout-Signature: t=1764240000,v1=<hex HMAC-SHA256 of "1764240000." + body, keyed with the shared secret>

Several v1 may stand in the header, and several secrets may be good, so that a secret can be changed without a gap.
A webhook of this kind has the body

    {"id": "evt-1", "kind": "price changed", "records": {"Contract": ["8000000001", "8000000002"]}}

`id` is the same when a message is sent again; `records` are keys by object name of the mapping.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from connectors.contract import Notified
from connectors.errors import UnreadableMessage, WebhookRefused
from connectors.http import parsed
from connectors.notified import notified

HEADER = "tieout-signature"
# How far the sender's clock may be from ours, either way; an older message may be one that somebody kept.
TOLERANCE_S = 300
_LONGEST_HEADER = 4_096
_LONGEST_STAMP = 12


def read(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notified:
    """Check the signature and read the message. A WebhookReader. Raises WebhookRefused, UnreadableMessage."""
    verify(headers.get(HEADER, ""), body, [secret], now)
    said = message(body)
    return notified(said.get("id"), said.get("kind"), said.get("records"))


def verify(header: str, body: bytes, secrets: Iterable[str], now: datetime) -> None:
    """Check the value of the header over the raw body. Raises WebhookRefused, which says nothing about the secret."""
    parts = list(_parts(header[:_LONGEST_HEADER]))
    stamps = [value for name, value in parts if name == "t"]
    signatures = [value for name, value in parts if name == "v1"]
    if len(stamps) != 1 or not signatures or not _is_stamp(stamps[0]):
        raise WebhookRefused("Tieout-Signature must say t=<Unix seconds>,v1=<hex HMAC-SHA256 of t, a point, the body>.")
    # The body is hashed once for each secret, however many signatures a stranger sends. All are compared, so that the
    # time which this takes does not tell which of them fits.
    expected = [_expected(secret, stamps[0], body) for secret in secrets if secret]
    fits = [_same(given, wanted) for given in signatures for wanted in expected]
    if not any(fits):
        raise WebhookRefused("Tieout-Signature does not fit the body. Sign the bytes that are sent, with the secret.")
    if abs(now.timestamp() - int(stamps[0])) > TOLERANCE_S:
        raise WebhookRefused(
            f"Tieout-Signature was made more than {TOLERANCE_S // 60} minutes from now. Sign when you send."
        )


def message(body: bytes) -> Mapping[str, object]:
    """The object that a body is. Raises UnreadableMessage for anything else."""
    try:
        said = parsed(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableMessage("The body is not JSON.") from error
    if not isinstance(said, dict):
        raise UnreadableMessage("The body is not a JSON object.")
    return said


def _parts(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(","):
        name, _, value = part.partition("=")
        yield name.strip(), value.strip()


def _is_stamp(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_STAMP


def _expected(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
