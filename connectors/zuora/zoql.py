"""ZOQL over the action API: queries walked with queryMore, and every way in which Zuora says no (vendors.md C2).

ZOQL has no ORDER BY, no joins, no parentheses, and takes at most 200 conditions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Record
from connectors.errors import (
    ConnectorError,
    CursorLost,
    LoginRefused,
    PermanentError,
    SchemaChanged,
    TransientError,
    UnknownRecord,
)
from connectors.http import Answer, retry_after
from connectors.retries import RetryPolicy
from connectors.tokens import Bearer

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
        """The pages of a query, each with whether it is the last. Raises CursorLost when the locator is forgotten."""
        reply = self.call("POST", "/v1/action/query", {"queryString": text, "conf": {"batchSize": PAGE}})
        while True:
            records, done = reply.get("records") or [], reply.get("done", True)
            yield records, done
            if done:
                return
            if not reply.get("queryLocator"):
                raise TransientError(f"{self._system} left out the way to the next page of a query.")
            reply = self.call("POST", "/v1/action/queryMore", {"queryLocator": reply["queryLocator"]})

    def matching(self, name: str, fields: Iterable[str], field: str, values: Iterable[str]) -> Iterator[Record]:
        """The records of an object whose `field` has one of the values, asked for 200 values at a time."""
        wanted = sorted(set(values))
        for start in range(0, len(wanted), MOST_CONDITIONS):
            batch = wanted[start : start + MOST_CONDITIONS]
            where = " or ".join(f"{field} = {quoted(value)}" for value in batch)
            for records, _ in self.pages(f"select {', '.join(fields)} from {name} where {where}"):
                yield from records

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self._retries.call(lambda: self.once(method, path, body), self._system)

    def once(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer's object. Raises for every answer that says no, whatever its HTTP status."""
        answer = self._bearer.send(method, path, json=body)
        refused = refusal(f"{self._system}: {method} {path}", answer)
        if refused is not None:
            raise refused
        if not isinstance(answer.body, dict):
            raise TransientError(f"{self._system}: {method} {path} was answered without an object.")
        return answer.body


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
