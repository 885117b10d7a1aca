"""Errors over HTTP: RFC 9457 problem details, with `proceed: false` in each, so that no client can misread one."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from gateway.errors import GatewayError, NotFound, Refused, Unavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_S = "60"
# Refusals that are not a plain conflict with how things stand.
_STATUS = {
    "body-not-json": 400,
    "malformed-request": 422,
    "run-not-pullable": 422,
    "unauthenticated": 401,
    "webhook-refused": 401,
    "signature-refused": 401,
    "scope-missing": 403,
}
# How to come back. Zuora sends a password only when it was asked for one (RFC 7617).
_CHALLENGES = {
    "unauthenticated": 'Bearer realm="tieout"',
    "webhook-refused": 'Basic realm="tieout"',
    "signature-refused": 'Tieout-Signature realm="tieout"',
}
_KINDS = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Why there is no answer (RFC 9457). `type` names the kind; `detail` is a sentence for a person.",
    "required": ["type", "title", "status", "detail", "proceed"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:tieout:problem:[a-z-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "proceed": {"type": "boolean", "const": False},
    },
}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for its OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def problem(status: int, kind: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """One problem document. `kind` names it in its type URN."""
    body = {
        "type": f"urn:tieout:problem:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail.encode("utf-8", "replace").decode(),
        "proceed": False,
    }
    return Response(msgspec.json.encode(body), status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every error of the application into a problem document."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameters)
    app.add_exception_handler(HTTPException, _http_error)
    for unreachable in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(unreachable, _database_away)
    app.add_exception_handler(Exception, _unforeseen)


def _gateway_error(_: Request, error: Exception) -> Response:
    match error:
        case Refused(kind=kind):
            status = _STATUS.get(kind, 409)
            headers = {"WWW-Authenticate": _CHALLENGES[kind]} if kind in _CHALLENGES else None
            return problem(status, kind, str(error), headers)
        case NotFound():
            return problem(404, "not-found", str(error))
        case Unavailable():
            return problem(503, "not-available", str(error), {"Retry-After": RETRY_S})
    log.error("A request failed.", exc_info=error)
    return problem(500, "internal", str(error))


def _invalid_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(e["type"] == "missing" and e["loc"] == ("header", "idempotency-key") for e in found):
        detail = "Send an Idempotency-Key header, a new one for each question."
        return problem(400, "idempotency-key-missing", detail)
    said = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in found)
    return problem(422, "malformed-request", f"The request is not usable: {said}.")


def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _KINDS.get(error.status_code, "http")
    return problem(error.status_code, kind, f"{error.detail}.", dict(error.headers or {}))


def _database_away(_: Request, error: Exception) -> Response:
    log.error("The database does not answer.", exc_info=error)
    return problem(503, "not-available", "The database does not answer now.", {"Retry-After": RETRY_S})


def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("Request %s %s failed.", request.method, request.url.path, exc_info=error)
    detail = "Something failed that was not foreseen. The log has the trace; try again later."
    return problem(500, "internal", detail, {"Connection": "close"})
