"""HTTP to a source: time limits, no redirects, one decode layer that turns what went wrong into our errors.

A message names the method and the path only: queries, bodies and headers may hold what nobody else should read.
"""

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Protocol

import httpx
import msgspec

from connectors import telemetry
from connectors.errors import PermanentError, TransientError

# The request was in order, its moment was not (RFC 9110, 8470, 6585).
BAD_MOMENT = frozenset({408, 425, 429})
CONNECT_S = 10.0
# A wait that is longer than this is a mistake of the header.
LONGEST_WAIT_S = 86_400.0
_JSON = msgspec.json.Decoder(float_hook=str)


@dataclass(frozen=True)
class Answer:
    """An answer that another try would not better. `body` is what was parsed; a refusal that is no JSON has None, and
    `text`."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Form:
    """What the body of a success has to be. `read` raises ValueError for a body that is something else."""

    name: str
    read: Callable[[bytes], Any]


class Meter(Protocol):
    """Keeps a source's limits: asked before every request and told every answer, refusals included."""

    def before(self, path: str) -> None:
        """Raises TransientError, with the seconds to wait, where the request may not be sent now."""

    def after(self, path: str, headers: Mapping[str, str]) -> None:
        """What an answer says about the limits stands in its headers."""


@cache
def certificates() -> ssl.SSLContext:
    """Whom every client of ours trusts: to read them again for each one takes longer than most requests do."""
    return httpx.create_ssl_context()


class Wire:
    """One source behind one base URL. `clock` stands in where the source does not tell the time.

    `timeout_s` is how long a reply may pause; above the longest that the source works on a query. `meter` keeps
    the limits of a source that tells them.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        clock: Callable[[], datetime],
        timeout_s: float = 120.0,
        meter: Meter | None = None,
    ) -> None:
        self.system = system
        self.base_url = base_url.rstrip("/")
        self._clock = clock
        self._meter = meter
        self._skew = timedelta(0)
        self._client = httpx.Client(
            base_url=checked_url(self.base_url, system),
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
            follow_redirects=False,
            verify=certificates(),
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str | Sequence[str]] | None = None,
        answer: Form | None = None,
    ) -> Answer:
        """Send once; a success has JSON in its body, or what `answer` says.

        Raises TransientError where another try may help, PermanentError for a redirect.
        """
        what = f"{self.system}: {method} {path}"
        if self._meter is not None:
            self._meter.before(path)
        try:
            reply = self._client.request(method, path, headers=headers, json=json, data=form, params=params)
        except httpx.TransportError as error:
            telemetry.request(self.system, None)
            raise TransientError(f"{what} got no answer ({type(error).__name__}).") from error
        except httpx.DecodingError as error:
            telemetry.request(self.system, None)
            raise TransientError(f"{what} was answered in an encoding that cannot be read.") from error
        telemetry.request(self.system, reply.status_code)
        if reply.status_code == httpx.codes.TOO_MANY_REQUESTS:
            telemetry.refused(self.system)
        self._skew = skew(reply.headers, self._clock(), self._skew)
        if self._meter is not None:
            self._meter.after(path, reply.headers)
        return decoded(what, reply.status_code, reply.headers, reply.content, answer or JSON)

    def source_time(self) -> datetime:
        """The source's clock, UTC, as far as its last answer told it: our clock, put right by the difference."""
        return self._clock().astimezone(UTC) + self._skew

    def close(self) -> None:
        self._client.close()


def parsed(content: bytes | str) -> Any:
    """JSON, with fractions as the text that they are, so that no amount passes a float. Raises ValueError."""
    try:
        return _JSON.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The standard library is slower, says where the mistake is, and takes what many senders get wrong, such as
        # half a character: the record that holds it is then refused, and not the page.
        return json.loads(content, parse_float=str, parse_constant=_no_number)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


JSON = Form("JSON", parsed)


def decoded(what: str, status: int, headers: Mapping[str, str], content: bytes, form: Form = JSON) -> Answer:
    """The answer, or the error that its status or its body is. A refusal may have JSON in its body, or nothing.

    Raises TransientError for 408, 425, 429 and 5xx, unless the source says that another try will not help (Stripe's
    `Stripe-Should-Retry: false`), and for a success whose body is of another form (cut off, or a page of a proxy);
    PermanentError for a redirect.
    """
    if (status in BAD_MOMENT or status >= 500) and headers.get("stripe-should-retry") != "false":
        raise TransientError(f"{what} was answered with HTTP {status}.", retry_after(headers))
    if 300 <= status < 400:
        raise PermanentError(f"{what} was answered with a redirect. Correct the base URL.")
    succeeded = 200 <= status < 300
    try:
        body = form.read(content) if succeeded else parsed(content)
    except (ValueError, RecursionError) as error:
        if succeeded:
            sentence = f"{what} was answered with something that is not {form.name}, or not all of it."
            raise TransientError(sentence) from error
        return Answer(status, None, headers, content.decode(errors="replace"))
    return Answer(status, body, headers)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the source asks us to wait: `Retry-After` (seconds or a date), or Zuora's `ratelimit-reset`."""
    for name in ("retry-after", "ratelimit-reset"):
        wanted = headers.get(name, "").strip()
        if wanted.isascii() and wanted.isdigit():
            return min(float(wanted), LONGEST_WAIT_S)
        until, sent = _http_date(wanted), date_of(headers)
        if until and sent:
            return min(max((until - sent).total_seconds(), 0.0), LONGEST_WAIT_S)
    return None


def skew(headers: Mapping[str, str], now: datetime, known: timedelta) -> timedelta:
    """How far the source's clock is ahead of ours, by the `Date` of its answer; `known` where it has none."""
    date = date_of(headers)
    return known if date is None else date - now


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """The moment at which the source answered, by its own clock."""
    return _http_date(headers.get("date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def checked_url(url: str, system: str) -> str:
    """`url` as given. Raises PermanentError unless it is an http or https URL with a host and no query."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        parts = httpx.URL("")
    if parts.scheme not in ("http", "https") or not parts.host or parts.query or parts.userinfo:
        raise PermanentError(f"The base URL of {system} is not a usable http or https URL. Correct the setting.")
    return url
