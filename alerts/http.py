"""What an HTTP answer means for somebody who sends messages, and how much of a URL may be shown."""

import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Literal
from urllib.parse import urlsplit

import httpx

from alerts.errors import PermanentError

Verdict = Literal["ok", "transient", "permanent"]

# Too slow, too early and too many: the request was in order, its moment was not (RFC 9110, 8470, 6585).
BAD_MOMENT = frozenset({408, 425, 429})
LONGEST_WAIT = timedelta(days=1)


@cache
def certificates() -> ssl.SSLContext:
    """Whom we trust, read once: to read it again takes longer than most messages do."""
    return httpx.create_ssl_context()


def judge(status: int) -> Verdict:
    """Whether the receiver took the message, could take it later, or never will. A redirect is never followed."""
    if 200 <= status < 300:
        return "ok"
    if status in BAD_MOMENT or status >= 500:
        return "transient"
    return "permanent"


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """The wait that `Retry-After` asks for, as seconds or as a date; None when absent or unreadable.

    A date is measured from the answer's own `Date`, so that two clocks that disagree do no harm. Capped at one
    day: a longer answer is a mistake that would lose the message.
    """
    wanted = headers.get("Retry-After", "").strip()
    if wanted.isascii() and wanted.isdigit():
        return timedelta(seconds=min(int(wanted[:9]), LONGEST_WAIT.total_seconds()))
    until, sent = _http_date(wanted), _http_date(headers.get("Date", ""))
    if until is None or sent is None:
        return None
    return min(max(until - sent, timedelta()), LONGEST_WAIT)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def checked_url(url: str, what: str) -> str:
    """`url` as given. Raises PermanentError, without showing it, unless it is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise PermanentError(f"{what} is not a usable http or https URL. Correct the setting that holds it.")
    return url


def origin(url: str) -> str:
    """Scheme, host and port of a URL. User, path and query stay out: they often hold a token."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
