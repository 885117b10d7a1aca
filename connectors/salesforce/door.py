"""The one door through which simple-salesforce reaches the org: time limits, one address, and our errors.

The library forces https and *.salesforce.com, has no time limit, and reads error bodies as JSON arrays, which a
page of HTML is not (vendors.md A1). So a mounted adapter sends every call to the configured URL and raises for
every answer that is not a success, before the library looks at it.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from connectors import telemetry
from connectors.errors import ConnectorError, LoginRefused, PermanentError, SchemaChanged, TransientError
from connectors.http import CONNECT_S, checked_url, parsed, retry_after, skew
from connectors.salesforce.usage import HEADER, WINDOW, Usage

TOKEN_PATH = "/services/oauth2/token"
JOBS_PATH = "/jobs/query/"
_BUSY = frozenset({406, 408, 420, 425, 429})
_TRANSIENT = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "INVALID_QUERY_LOCATOR"})
_SCHEMA = frozenset({"INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND"})


class SessionEnded(ConnectorError):
    """The session has expired or was revoked: log in again."""


class DailyLimit(TransientError):
    """The org has no request left today. Another try within minutes would only count against it."""


class QueryTimeout(ConnectorError):
    """The query took Salesforce more than two minutes: ask for less at once."""


class JobGone(ConnectorError):
    """The bulk job is not there any more, or is another API version's: start again."""


class IdLimitExceeded(PermanentError):
    """One window of getDeleted holds more ids than a reply may."""


class Door(HTTPAdapter):
    """An adapter for a `requests` session. `clock` is ours; the org's is measured against it."""

    def __init__(
        self, system: str, base_url: str, timeout_s: float, clock: Callable[[], datetime], usage: Usage
    ) -> None:
        super().__init__()
        self._usage = usage
        self._system = system
        parts = urlsplit(checked_url(base_url, system))
        self._scheme, self._netloc = parts.scheme, parts.netloc
        self._proxies = get_environ_proxies(base_url)
        self._timeout = (CONNECT_S, timeout_s)
        self._clock = clock
        self._skew = timedelta(0)

    def source_time(self) -> datetime:
        """The org's clock, UTC, as far as its last answer told it."""
        return self._clock().astimezone(UTC) + self._skew

    def send(self, request: requests.PreparedRequest, *_: Any, **given: Any) -> requests.Response:
        """Raises what `_refusal` gives, and TransientError where no answer came or the day's share is used up."""
        parts = urlsplit(request.url or "")
        request.url = urlunsplit(parts._replace(scheme=self._scheme, netloc=self._netloc))
        what = f"{self._system}: {request.method} {parts.path}"
        given |= {"timeout": self._timeout, "proxies": self._proxies}
        counted = not parts.path.endswith(TOKEN_PATH)  # a login is no API request
        if counted:
            self._usage.begin(self.source_time())
        try:
            response = self._sent(what, request, given)
        except ConnectorError:
            if counted:
                self._usage.end(None, self.source_time())
            raise
        if counted:
            self._usage.end(response.headers.get(HEADER), self.source_time())
        if response.status_code >= 300:
            raise self._refused(what, parts.path, response)
        return response

    def _sent(self, what: str, request: requests.PreparedRequest, given: dict[str, Any]) -> requests.Response:
        """The whole answer, its body read. Raises TransientError where none came."""
        try:
            response = super().send(request, **given)
            _ = response.content  # read here, so that a body that breaks off is an error of ours
        except requests.RequestException as error:
            telemetry.request(self._system, None)
            raise TransientError(f"{what} got no whole answer ({type(error).__name__}).") from error
        telemetry.request(self._system, response.status_code)
        self._skew = skew(response.headers, self._clock(), self._skew)
        return response

    def _refused(self, what: str, path: str, response: requests.Response) -> ConnectorError:
        refusal = _refusal(what, path, response.status_code, response.headers, response.content)
        if isinstance(refusal, DailyLimit):
            self._usage.refuse(self.source_time())
        return refusal


def session_through(door: Door) -> requests.Session:
    """A session that knows no other way out. Its own reading of the environment is off: a .netrc file would put
    another login in the place of the token."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", door)
    session.mount("http://", door)
    return session


def _refusal(what: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> ConnectorError:
    """The error that an answer is which is no success, named by what to do about it."""
    code, message = _error_of(content)
    sentence = f"{what} was refused with HTTP {status}{f' {code}' if code else ''}{f': {message}' if message else '.'}"
    if status in _BUSY or status >= 500 or code in _TRANSIENT:
        return TransientError(sentence, retry_after(headers))
    if path.endswith(TOKEN_PATH):
        return LoginRefused(f"{what} refuses the login ({code or f'HTTP {status}'}). Check the connected app.")
    if code == "REQUEST_LIMIT_EXCEEDED":
        daily = "TotalRequests" in message
        return DailyLimit(sentence, WINDOW.total_seconds()) if daily else TransientError(sentence, retry_after(headers))
    if code == "QUERY_TIMEOUT":
        return QueryTimeout(sentence)
    if JOBS_PATH in path and status in (404, 409):
        return JobGone(sentence)
    if status == 401:
        return SessionEnded(sentence)
    if code in _SCHEMA or (status == 404 and "/sobjects/" in path):
        return SchemaChanged(f"{sentence} Give the integration user access, or correct the mapping.")
    if code == "EXCEEDED_ID_LIMIT":
        return IdLimitExceeded(sentence)
    return PermanentError(sentence)


def _error_of(content: bytes) -> tuple[str, str]:
    """The code and the message of an error body: a JSON array, an OAuth object, or neither."""
    try:
        body = parsed(content)
    except (ValueError, RecursionError):
        return "", ""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "", ""
    message = " ".join(str(first.get("message", "")).split())
    return str(first.get("errorCode") or first.get("error") or ""), message[:400]
