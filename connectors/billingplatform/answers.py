"""What an answer of BillingPlatform means: rows, an empty result, or one of the ways in which it says no.

Two of its habits make this a matter of the body and not of the status: a query without rows is a 404 as a mistyped
entity may be, and an error may come inside a 200 as an `ErrorCode` other than 0 (vendors.md C1).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.errors import (
    ConnectorError,
    LoginRefused,
    PermanentError,
    SchemaChanged,
    TransientError,
    UnknownRecord,
)
from connectors.http import BAD_MOMENT, Answer, retry_after

Row = Mapping[str, Any]
# The vendor publishes no list of codes or texts (vendors.md G1): these are words that an Oracle behind it uses, and
# those of its own pages. What none of them fits is an error that asks for a person.
_SESSION = re.compile(r"\bsession\b.*\b(?:expired|invalid|not valid|no longer)|\b(?:invalid|expired|no) session", re.I)
_NAMES = re.compile(
    r"invalid (?:entity|table|object|column|field|identifier)|unknown (?:entity|table|object|column|field|identifier)"
    r"|(?:entity|table|object|column|field|identifier)\b.*\b(?:does not exist|not found|is (?:invalid|unknown))"
    r"|ORA-00904|ORA-00942",
    re.I,
)
_BUSY = re.compile(
    r"too many requests|try again|timed?[ -]?out|temporar|\bbusy\b|\bunavailable\b|\block(?:ed)?\b", re.I
)
_ROLE = re.compile(r"permission|privilege|not authori[sz]ed|access (?:is )?denied|(?:no|not have) access", re.I)


def said(answer: Answer) -> tuple[str, str]:
    """Code and text of the error that an answer holds, wherever in it they stand; ("", "") where it holds none."""
    for part in _parts(answer.body):
        lowered = {key.lower().replace("_", ""): value for key, value in part.items()}
        code, text = str(lowered.get("errorcode") or ""), lowered.get("errortext") or lowered.get("message") or ""
        if code.strip() not in ("", "0"):
            return code.strip(), _plain(text)
        if not answer.ok and text:
            return "", _plain(text)
    return "", "" if answer.ok else _plain(answer.text)


def session_ended(answer: Answer) -> bool:
    """Whether the answer says that the login holds no more: 401, or a text about the session under another status."""
    code, text = said(answer)
    return answer.status == 401 or code == "401" or bool(_SESSION.search(text))


def plainly_empty(answer: Answer, no_rows: re.Pattern[str]) -> bool:
    """Whether a 404 says that nothing matched, and not that something is unknown."""
    if answer.status != 404:
        return False
    code, text = said(answer)
    if _NAMES.search(f"{code} {text}"):
        return False
    # A list without rows is as plain as any text.
    listed = isinstance(answer.body, dict) and answer.body.get("queryResponse") == [] and not code
    return listed or bool(no_rows.search(text))


def refusal(what: str, answer: Answer) -> ConnectorError | None:
    """The error that an answer is; None where it is none. `what` begins the sentence."""
    code, text = said(answer)
    if answer.ok and not code:
        return None
    if answer.text.lstrip()[:1] in ("{", "["):
        return TransientError(f"{what} was answered with HTTP {answer.status} and a body that is cut off.")
    shown = f"{text or 'no reason given'} ({f'ErrorCode {code}' if code else 'no code'})"
    sentence = f"{what} was refused with HTTP {answer.status}: {shown}."
    whole = f"{code} {text}"
    if _NAMES.search(whole):
        return SchemaChanged(f"{sentence} Give the user's role access, or correct the mapping.")
    if _BUSY.search(whole) or (code.isdecimal() and (int(code) in BAD_MOMENT or 500 <= int(code) < 600)):
        return TransientError(sentence, retry_after(answer.headers))
    if answer.status == 403 or code == "403" or _ROLE.search(whole):
        return LoginRefused(f"{sentence} Check the role of the user.")
    return UnknownRecord(sentence) if answer.status == 404 else PermanentError(sentence)


def rows_of(what: str, answer: Answer, key: str) -> list[Row]:
    """The rows under `key` (`queryResponse`, `retrieveResponse`); a single one may come without its list."""
    found = answer.body.get(key) if isinstance(answer.body, dict) else None
    if isinstance(found, dict):
        return [found] if found else []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise TransientError(f"{what} was answered without {key}.")
    return found


def _parts(body: Any) -> Iterator[Mapping[str, Any]]:
    """Tables of an answer that may hold an error: itself, and the first of any list in it."""
    if isinstance(body, list):
        body = {"": body}
    if isinstance(body, dict):
        yield body
        for value in body.values():
            first = value[0] if isinstance(value, list) and value else value
            if isinstance(first, dict):
                yield first


def _plain(text: Any) -> str:
    """A text, or a list of texts, in one line that a log can hold."""
    words = text if isinstance(text, list) else [text]
    return " ".join(" ".join(str(word) for word in words).split())[:400]
