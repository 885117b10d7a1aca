"""How Stripe says no: one JSON shape, with a type, often a code, and the parameter that is meant (vendors.md C3)."""

from typing import Any


class Refusal(Exception):
    """A request that is refused; `headers` go with the answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        told = {"code": code, "message": message, "param": param, "type": type}
        self.body: dict[str, Any] = {"error": {name: value for name, value in told.items() if value is not None}}


def missing(noun: str, identity: str, param: str = "id") -> Refusal:
    """There is no such object: 404 for the one that the address names, 400 for one that a parameter names."""
    return Refusal(404 if param == "id" else 400, f"No such {noun}: '{identity}'", code="resource_missing", param=param)


def unknown(param: str) -> Refusal:
    return Refusal(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def invalid(param: str, message: str, code: str | None = None) -> Refusal:
    return Refusal(400, message, code=code, param=param)


def lacking(param: str) -> Refusal:
    return Refusal(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def no_address(method: str, path: str) -> Refusal:
    return Refusal(404, f"Unrecognized request URL ({method}: {path}).")
