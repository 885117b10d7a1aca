"""Post a notice as signed JSON to a customer's own endpoint.

The request carries `Idempotency-Key`, the same for every attempt at one notice, and

    Tieout-Signature: t=1764240000,v1=<hex HMAC-SHA256 of "1764240000." + body, keyed with the shared secret>

A receiver recomputes v1 over the raw body, compares in constant time, and refuses a `t` that is too old for it.
Redirects are not followed: a signed body goes to the configured host or nowhere.
"""

import hashlib
import hmac
import json
import logging
import string
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

import httpx

from alerts import http
from alerts.channel import Receipt
from alerts.errors import PermanentError, TransientError
from alerts.message import Notice

SCHEMA = "tieout.notice.v1"
TIMEOUT_S = 10.0
_TALKATIVE = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")
_HEADER_SAFE = "".join(set(string.punctuation) - {"%"})


class WebhookChannel:
    def __init__(self, url: str, secret: str, clock: Callable[[], datetime], *, timeout: float = TIMEOUT_S) -> None:
        """`clock` gives the aware instant that the signature states; `timeout` in seconds, per phase.

        PermanentError when the URL cannot be used or the secret is empty.
        """
        if not secret:
            raise PermanentError("The webhook has no signing secret. Set one, and give it to the receiver.")
        self._url = http.checked_url(url, "The webhook URL")
        self._secret = secret.encode()
        self._clock = clock
        self._timeout = timeout

    def send(self, notice: Notice) -> Receipt:
        content = body(notice)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "tieout",
            "Idempotency-Key": quote(notice.dedupe_key, safe=_HEADER_SAFE, errors="replace"),
            "Tieout-Signature": signature(self._secret, int(self._clock().timestamp()), content),
        }
        status, answer = self._post(content, headers)
        receiver, verdict = http.origin(self._url), http.judge(status)
        if verdict == "transient":
            wait = http.retry_after(answer)
            raise TransientError(f"{receiver} cannot take the message now (status {status}).", wait)
        if verdict == "permanent":
            moved = " Redirects are not followed: set the final URL." if 300 <= status < 400 else ""
            raise PermanentError(f"{receiver} refused the message (status {status}).{moved}")
        return Receipt(reference=f"status {status}")

    def _post(self, content: bytes, headers: dict[str, str]) -> tuple[int, httpx.Headers]:
        receiver = http.origin(self._url)
        try:
            with (
                _unlogged(),
                httpx.Client(timeout=self._timeout, follow_redirects=False, verify=http.certificates()) as client,
                # Streamed: the status is all that counts, and a body of any length is left unread.
                client.stream("POST", self._url, content=content, headers=headers) as response,
            ):
                return response.status_code, response.headers
        except httpx.TimeoutException:
            raise TransientError(f"{receiver} did not answer within {self._timeout:g} seconds.") from None
        except httpx.TransportError as error:
            raise TransientError(f"{receiver} could not be reached ({type(error).__name__}).") from None


def body(notice: Notice) -> bytes:
    """The notice as UTF-8 JSON: its fields by name, amounts as decimal strings, instants as ISO 8601."""
    document = {"schema": SCHEMA, **asdict(notice)}
    text = json.dumps(document, default=_plain_value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def signature(secret: bytes, timestamp: int, content: bytes) -> str:
    """The value of `Tieout-Signature` for a body sent at `timestamp` (Unix seconds)."""
    digest = hmac.new(secret, f"{timestamp}.".encode() + content, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def _plain_value(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"A notice holds no {type(value).__name__}.")


@contextmanager
def _unlogged() -> Iterator[None]:
    """Silences httpx for this thread: it logs URLs and answers, and the path may be the receiver's secret."""
    sender, loggers = threading.get_ident(), [logging.getLogger(name) for name in _TALKATIVE]

    def from_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != sender

    for logger in loggers:
        logger.addFilter(from_elsewhere)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(from_elsewhere)
