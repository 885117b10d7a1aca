"""One request and one answer, without the web framework: what the endpoints take and give."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.zuora.errors import INVALID_VALUE, MALFORMED, MISSING_FIELD, BadRequest, Rejection
from sandbox.zuora.wire import Json, encode


@dataclass(frozen=True, slots=True)
class Call:
    """`base_url` has no trailing slash; `query` keeps repeated parameters; `headers` are in lower case."""

    method: str
    path: str
    base_url: str
    keys: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    def json(self) -> Mapping[str, Any]:
        """The body as an object; an empty body is an empty one. Raises BadRequest for anything else."""
        try:
            read = json.loads(self.body or b"{}", parse_float=Decimal)
        except ValueError:
            raise BadRequest(MALFORMED, "The request body is not JSON.") from None
        if not isinstance(read, dict):
            raise BadRequest(MALFORMED, "The request body is not a JSON object.")
        return read


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(body: Json, status: int = 200) -> Answer:
    return Answer(status, encode(body).encode())


def day(body: Mapping[str, Any], name: str, default: date | None = None) -> date:
    """A date in a request body. Raises Rejection when it is missing without a default, or not a date."""
    value = body.get(name)
    if value is None:
        if default is None:
            raise Rejection(MISSING_FIELD, f"The field {name!r} is required.")
        return default
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Rejection(INVALID_VALUE, f"{name!r} must be a date as yyyy-mm-dd, not {value!r}.") from None
