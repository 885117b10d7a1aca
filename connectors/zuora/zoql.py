"""ZOQL over the action API: queries walked with queryMore, and every way in which Zuora says no (vendors.md C2).

ZOQL has no ORDER BY, no joins, no parentheses, and takes at most 200 conditions.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connectors.contract import Record, SourceField
from connectors.errors import (
    ConnectorError,
    CursorLost,
    LoginRefused,
    PermanentError,
    SchemaChanged,
    TransientError,
    UnknownRecord,
)
from connectors.http import JSON, Answer, Form, retry_after
from connectors.retries import RetryPolicy
from connectors.tokens import Bearer
from connectors.zuora.describing import XML, described

PAGE = 2_000
MOST_CONDITIONS = 200
_SCHEMA = frozenset({"INVALID_FIELD", "INVALID_TYPE"})
_TRANSIENT = frozenset(
    {"REQUEST_EXCEEDED_LIMIT", "REQUEST_EXCEEDED_RATE", "LOCK_COMPETITION", "SERVER_UNAVAILABLE", "TEMPORARY_ERROR"}
)
# The last two digits of a v1 code say what kind of error it is (developer.zuora.com, "Error codes").
_V1_LOGIN, _V1_UNKNOWN, _V1_TRANSIENT = frozenset({10, 11}), 40, frozenset({50, 60, 61})


class Zoql:
    """Calls to one tenant, each repeated as the policy says; `once` sends without repeating."""

    def __init__(self, bearer: Bearer, retries: RetryPolicy) -> None:
        self._bearer = bearer
        self._retries = retries
        self._system = bearer.wire.system

    def pages(self, text: str) -> Iterator[tuple[Sequence[Record], bool]]:
        """The pages of a query, each with whether it is the last.

        Raises CursorLost when the locator is forgotten or leads back to where the walk has been, and where fewer
        records came than the first answer had promised.
        """
        reply = self._query(text, PAGE)
        promised, came = reply.get("size"), 0
        been: set[str] = set()
        while True:
            records, done = reply.get("records") or [], reply.get("done", True)
            locator = "" if done else str(reply.get("queryLocator") or "")
            if not done and not locator:
                raise TransientError(f"{self._system} left out the way to the next page of a query.")
            if locator in been:
                raise CursorLost(f"{self._system} did not advance: it named one page of a query twice.")
            came += len(records)
            if done and isinstance(promised, int) and came < promised:
                raise CursorLost(f"{self._system} handed over {came:,} of {promised:,} records of a query.")
            yield records, done
            if done:
                return
            been.add(locator)
            reply = self._page("/v1/action/queryMore", {"queryLocator": locator})

    def matching(
        self, name: str, fields: Iterable[str], field: str, values: Iterable[str], extra: str = ""
    ) -> Iterator[Record]:
        """The records of an object whose `field` has one of the values, and for which `extra` holds.

        Asked for as many values at a time as a query may have conditions: there are no parentheses, so `extra` stands
        beside each of them.
        """
        wanted = sorted(set(values))
        beside = f" and {extra}" if extra else ""
        # An "and" within a quoted text is counted too, which only makes the queries shorter.
        at_once = max(1, MOST_CONDITIONS // (1 + beside.lower().count(" and ")))
        for start in range(0, len(wanted), at_once):
            where = " or ".join(f"{field} = {quoted(value)}{beside}" for value in wanted[start : start + at_once])
            for records, _ in self.pages(f"select {', '.join(fields)} from {name} where {where}"):
                yield from records

    def count(self, text: str) -> int | None:
        """How many records a query finds, by its `size`; None where that turns out to be the size of a page."""
        reply = self._query(text, 1)
        shown, size = len(reply.get("records") or []), reply.get("size")
        if reply.get("done", True):
            return shown
        return size if isinstance(size, int) and size > shown else None

    def fields(self, name: str) -> Sequence[SourceField]:
        """What the object has. Raises SchemaChanged where the user does not see it."""
        path = f"/v1/describe/{quote(name, safe='')}"
        try:
            answer = self._retries.call(lambda: self._answer("GET", path, None, XML), self._system)
        except UnknownRecord as error:
            raise SchemaChanged(
                f"{self._system} shows no object {name}. Give the user access, or correct it."
            ) from error
        return list(described(answer.body))

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self._retries.call(lambda: self.once(method, path, body), self._system)

    def once(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer's object. Raises for every answer that says no, whatever its HTTP status."""
        answer = self._answer(method, path, body, JSON)
        if not isinstance(answer.body, dict):
            raise TransientError(f"{self._system}: {method} {path} was answered without an object.")
        return answer.body

    def _query(self, text: str, page: int) -> dict[str, Any]:
        return self._page("/v1/action/query", {"queryString": text, "conf": {"batchSize": page}})

    def _page(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A page of a query: an answer that says whether it is the last one, or that nothing was found."""

        def ask() -> dict[str, Any]:
            reply = self.once("POST", path, body)
            if not isinstance(reply.get("done"), bool) and (reply.get("size") != 0 or reply.get("records")):
                raise TransientError(f"{self._system}: POST {path} was answered without a page.")
            return reply

        return self._retries.call(ask, self._system)

    def _answer(self, method: str, path: str, body: Any, form: Form) -> Answer:
        """One request, its answer known for its own by the track id that Zuora gives back where it was sent one."""
        track = secrets.token_hex(8)
        headers = {"Zuora-Track-Id": track}
        answer = self._bearer.send(method, path, json=body, headers=headers, answer=form)
        what = f"{self._system}: {method} {path}"
        if answer.headers.get("zuora-track-id", track) != track:
            raise TransientError(f"{what} got the answer to another request.")
        refused = refusal(what, answer)
        if refused is not None:
            raise refused
        return answer


def refusal(what: str, answer: Answer) -> ConnectorError | None:
    """The error that an answer is: faults, success:false in a 200, Errors, and plain HTTP refusals."""
    body = answer.body if isinstance(answer.body, dict) else {}
    code, message = _code_of(body)
    if answer.ok and not code and body.get("success", body.get("Success", True)) is not False:
        return None
    sentence = f"{what} was refused with HTTP {answer.status}: {message or 'no reason given'} ({code or 'no code'})."
    if code in _TRANSIENT:
        return TransientError(sentence, retry_after(answer.headers))
    if code == "INVALID_QUERY_LOCATOR":
        return CursorLost(sentence)
    if code in _SCHEMA:
        return SchemaChanged(f"{sentence} Give the user access, or correct the mapping.")
    if code.isdigit():
        return _v1(int(code) % 100, sentence)
    if answer.status == 404:
        return UnknownRecord(sentence)
    return LoginRefused(sentence) if answer.status == 403 else PermanentError(sentence)


def _v1(category: int, sentence: str) -> ConnectorError:
    if category in _V1_TRANSIENT:
        return TransientError(sentence)
    if category in _V1_LOGIN:
        return LoginRefused(sentence)
    return UnknownRecord(sentence) if category == _V1_UNKNOWN else PermanentError(sentence)


def _code_of(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message from `reasons`, `Errors`, or a fault, whose exact keys no vendor page confirms."""
    reasons = body.get("reasons") or body.get("Errors") or body.get("errors")
    if isinstance(reasons, list) and reasons and isinstance(reasons[0], dict):
        body = reasons[0]
    elif body.get("records") is not None:
        return "", ""
    lowered = {key.lower(): value for key, value in body.items()}
    code = lowered.get("faultcode") or lowered.get("code") or ""
    message = lowered.get("faultmessage") or lowered.get("message") or ""
    return str(code).rpartition(":")[2], " ".join(str(message).split())[:400]


def quoted(text: str) -> str:
    """A text literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def instant(moment: datetime) -> str:
    """A literal for a moment, to the millisecond."""
    return quoted(moment.astimezone(UTC).isoformat(timespec="milliseconds"))
