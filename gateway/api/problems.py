"""Errors over HTTP: RFC 9457 problem details, with `proceed: false` in each, so that no client can misread one."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.errors import GatewayError, NotFound, Refused, Unavailable

log = logging.getLogger(__name__)

# Kinds of Refused that are not a plain conflict with what the caller may do.
_STATUS = {
    "malformed-request": 422,
    "body-too-large": 413,
    "idempotency-key-missing": 400,
    "unauthenticated": 401,
    "scope-missing": 403,
    "idempotency-key-reused": 409,
    "validation-expired": 409,
    "illegal-move": 409,
    "run-not-ready": 409,
    "run-not-pullable": 422,
}
_TITLES = {
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Body too large",
    422: "Malformed request",
    500: "Internal error",
    503: "Not available now",
}


def problem(status: int, kind: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """One problem document. `kind` names it in its type URN."""
    body: dict[str, Any] = {
        "type": f"urn:tieout:problem:{kind}",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "detail": detail,
        "proceed": False,
    }
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Turn every error of the application into a problem document."""
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameters)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen)


def _gateway_error(_: Request, error: Exception) -> JSONResponse:
    match error:
        case Refused(kind=kind):
            status = _STATUS.get(kind, 409)
            headers = {"WWW-Authenticate": 'Bearer realm="tieout"'} if status == 401 else None
            return problem(status, kind, str(error), headers)
        case NotFound():
            return problem(404, "not-found", str(error))
        case Unavailable():
            return problem(503, "not-available", str(error), {"Retry-After": "60"})
    return problem(500, "internal", str(error))


def _invalid_parameters(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
    return problem(422, "malformed-request", f"The request is not usable: {said}.")


def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "http", f"{error.detail}.", dict(error.headers or {}))


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("Request %s %s failed.", request.method, request.url.path, exc_info=error)
    return problem(500, "internal", "Something failed that was not foreseen. The log has the trace; try again later.")
