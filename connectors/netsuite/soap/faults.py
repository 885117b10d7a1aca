"""What SuiteTalk says when it refuses: faults, and statuses inside a reply with HTTP 200, as our errors (B5).

Both carry a code and a message; a fault has a type besides. What is refused because it is too much for one request
is a `TooMuch`, which the walk answers with a smaller one.
"""

from collections.abc import Mapping
from typing import Any

from lxml import etree
from zeep.exceptions import Fault

from connectors import telemetry
from connectors.errors import (
    ConnectorError,
    CursorLost,
    LoginRefused,
    NotVisible,
    PermanentError,
    TransientError,
    UnknownRecord,
)

_BLOCKED = frozenset({"exceededConcurrentRequestLimitFault", "exceededRequestLimitFault"})
_BLOCKED_CODES = frozenset(
    {"WS_REQUEST_BLOCKED", "WS_CONCUR_SESSION_DISALLWD", "SSS_REQUEST_LIMIT_EXCEEDED", "CONCURRENCY_LIMIT_EXCEEDED"}
)
_TOO_MUCH = frozenset({"exceededRecordCountFault", "exceededRequestSizeFault"})
_LOGIN = frozenset({"invalidCredentialsFault", "invalidSessionFault", "invalidAccountFault"})
_LOGIN_CODES = frozenset({"INVALID_LOGIN", "INVALID_LOGIN_CREDENTIALS", "INVALID_LOGIN_ATTEMPT", "SESSION_TIMED_OUT"})
_PERMISSION = frozenset({"INSUFFICIENT_PERMISSION", "FEATURE_DISABLED", "INVALID_RCRD_TYPE"})
LONGEST = 400


class PassportRefused(LoginRefused):
    """A passport was not taken: its nonce, its stamp, or the keys."""


class TooMuch(PermanentError):
    """More than one request may ask for: too many records, or too long a search."""


class SearchExpired(CursorLost):
    """The search cannot be continued any more, or has no such page any more; it has to be begun again."""


class RecordMissing(UnknownRecord):
    """There is no such record."""


def fault_error(system: str, what: str, fault: Fault) -> ConnectorError:
    """The error that a SOAP fault is. `what` names the operation and the record that it was about."""
    kind, code, message = _read(fault)
    return refusal(system, what, kind, code, message)


def status_error(system: str, what: str, status: Any) -> ConnectorError | None:
    """The error that a status is; None where it is a success. All errors of a status are told."""
    if status is None:
        return TransientError(f"{system} answered {what} without a status.")
    if status.isSuccess:
        return None
    details = [detail for detail in status.statusDetail or () if detail.type != "WARN"]
    messages = "; ".join(f"{detail.code}: {detail.message}" for detail in details)
    return refusal(system, what, "", details[0].code if details else "", messages or "no reason given")


def refusal(system: str, what: str, kind: str, code: str, message: str) -> ConnectorError:
    """The error for a fault's type (or ""), its code and its message."""
    said = " ".join(message.split())[:LONGEST]
    sentence = f"{system} refused {what} ({' '.join(word for word in (kind, code) if word) or 'fault'}): {said}"
    if kind in _BLOCKED or code in _BLOCKED_CODES:
        telemetry.refused(system)
        return TransientError(sentence)
    if kind in _LOGIN or code in _LOGIN_CODES:
        return PassportRefused(f"{sentence} Check the token, its role, and the clock of this machine.")
    if kind == "insufficientPermissionFault" or code in _PERMISSION:
        return NotVisible(f"{sentence} The role lost a permission, or a feature was switched off.")
    if kind in _TOO_MUCH or "timed out" in said.lower():
        return TooMuch(sentence)
    return _BY_CODE.get(code, _BY_KIND.get(kind, PermanentError))(sentence)


_BY_CODE: Mapping[str, type[ConnectorError]] = {
    "INVALID_JOB_ID": SearchExpired,
    "INVALID_SEARCH_PAGE_INDEX": SearchExpired,
    "RCRD_DSNT_EXIST": RecordMissing,
    "UNEXPECTED_ERROR": TransientError,
}
_BY_KIND: Mapping[str, type[ConnectorError]] = {"unexpectedErrorFault": TransientError}


def _read(fault: Fault) -> tuple[str, str, str]:
    """The type, the code and the message of a fault, whatever version of the namespace it is in."""
    detail = fault.detail
    message = fault.message or ""
    if isinstance(detail, etree._Element):
        for node in detail:
            name = etree.QName(node).localname
            if name.endswith("Fault"):
                inner = {etree.QName(child).localname: child.text or "" for child in node}
                return name, inner.get("code", ""), inner.get("message", "") or message
    return "", "", message
