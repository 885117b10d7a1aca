"""Callouts of Zuora: what a notification posts, in the shape that a callout template of the customer gives it.

Whom it comes from is told by one of: Basic authentication, where the secret is `user:password`; a custom header
`Tieout-Token` with the secret; a header `Tieout-Hmac` with the HMAC-SHA256 of the body, in hex or Base64, keyed with
the secret. What is offered has to be right: a wrong HMAC is not mended by a right password.

The body is JSON, or a form with the same fields:

    {"kind": "Invoice Posted", "object": "Invoice", "ids": "{{DataSource.Invoice.Id}}"}
    {"kind": "Amendment Processed", "records": {"Amendment": ["…"], "Account": ["…"]}}

The message's id is the header `Zuora-Notification-Id`, which stays the same over all attempts at one notification
(docs.zuora.com, "Callout notification overview"); where a proxy drops it, `id` in the body.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from connectors.contract import Notified
from connectors.errors import UnreadableMessage, WebhookRefused
from connectors.notified import notified
from connectors.signed import message

ID_HEADER, TOKEN_HEADER, HMAC_HEADER = "zuora-notification-id", "tieout-token", "tieout-hmac"
_FORM = "application/x-www-form-urlencoded"


def read(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notified:
    """Check who sent it and read the message. A WebhookReader. Raises WebhookRefused, UnreadableMessage.

    A callout states no time: one that is sent again is known by its id alone, and asks for nothing but a reading.
    """
    del now
    if not _is_known(headers, body, secret):
        raise WebhookRefused("The callout does not show the secret that was agreed on.")
    said = _form(body) if headers.get("content-type", "").lower().startswith(_FORM) else message(body)
    return notified(headers.get(ID_HEADER) or said.get("id"), said.get("kind"), _records(said))


def _is_known(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """By everything that is offered, of which there has to be something."""
    offered = []
    if HMAC_HEADER in headers:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        said = headers[HMAC_HEADER].strip()
        offered.append(_same(said.lower(), digest.hex()) or _same(said, base64.b64encode(digest).decode()))
    if TOKEN_HEADER in headers:
        offered.append(_same(headers[TOKEN_HEADER].strip(), secret))
    if "authorization" in headers:
        offered.append(_same(_basic(headers["authorization"]), secret))
    return bool(offered) and all(offered)


def _same(said: str, expected: str) -> bool:
    return hmac.compare_digest(said.encode("utf-8", "replace"), expected.encode())


def _basic(header: str) -> str:
    """`user:password` of Basic credentials (RFC 7617); empty for others, which no secret is."""
    scheme, _, encoded = header.partition(" ")
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _form(body: bytes) -> Mapping[str, object]:
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=100))
    except ValueError as error:
        raise UnreadableMessage("The body is not a form that can be read.") from error


def _records(said: Mapping[str, object]) -> object:
    """`records`, or `object` with `ids`. A merge field gives a text: several ids in it are parted by commas."""
    tables = said.get("records") if "records" in said else {said.get("object"): said.get("ids")}
    if not isinstance(tables, Mapping):
        return tables
    return {name: _split(keys) if isinstance(keys, str) else keys for name, keys in tables.items()}


def _split(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]
