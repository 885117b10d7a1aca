"""The signature of what others post to us, in the form in which we sign what we post:

    Tieout-Signature: t=1764240000,v1=<hex HMAC-SHA256 of "1764240000." + body, keyed with the shared secret>

Several v1 may stand in the header, and several secrets may be good, so that a secret can be changed without a gap.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime

from connectors.errors import WebhookRefused

HEADER = "Tieout-Signature"
# How far the sender's clock may be from ours, either way.
TOLERANCE_S = 300
_LONGEST_STAMP = 12


def verify(header: str, body: bytes, secrets: Iterable[str], now: datetime) -> None:
    """Check the value of the header over the raw body. Raises WebhookRefused, which says nothing about the secret."""
    stamps = [value for name, value in _parts(header) if name == "t"]
    signatures = [value for name, value in _parts(header) if name == "v1"]
    if len(stamps) != 1 or not signatures or not _is_stamp(stamps[0]):
        raise WebhookRefused(f"{HEADER} must say t=<Unix seconds>,v1=<hex HMAC-SHA256 of t, a point, and the body>.")
    # All are compared, so that the time which this takes does not tell which of them fits.
    fits = [_same(given, _expected(secret, stamps[0], body)) for secret in secrets if secret for given in signatures]
    if not any(fits):
        raise WebhookRefused(f"{HEADER} does not fit the body. Sign the bytes that are sent, with the shared secret.")
    if abs(now.timestamp() - int(stamps[0])) > TOLERANCE_S:
        raise WebhookRefused(
            f"{HEADER} was made more than {TOLERANCE_S // 60} minutes from now. Sign when sending, and set the clock."
        )


def _parts(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(","):
        name, _, value = part.partition("=")
        yield name.strip(), value.strip()


def _is_stamp(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_STAMP


def _expected(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
