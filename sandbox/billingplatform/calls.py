"""Requests as the endpoints see them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.billingplatform.refusals import BadRequest

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Call:
    """A request: `keys` of its path, header names in lower case, `body` parsed as JSON or as a form."""

    keys: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    @property
    def entity(self) -> str:
        return self.keys["entity"]

    @property
    def key(self) -> str:
        return self.keys["key"]

    @property
    def sql(self) -> object:
        """The statement, in the URL or in the body."""
        return self.query.get("sql") or self.given("sql")

    def given(self, name: str) -> object:
        """A value of the body; None where there is none."""
        return self.body.get(name) if isinstance(self.body, dict) else None


def call_of(request: Request, content: bytes) -> Call:
    """Raises BadRequest for a body that cannot be parsed."""
    return Call(
        request.path_params,
        request.query_params,
        request.headers,
        _parsed(content, request.headers.get("content-type", "")),
    )


def _parsed(content: bytes, media_type: str) -> Any:
    try:
        if media_type.startswith(_FORM):
            return dict(parse_qsl(content.decode()))
        return json.loads(content) if content else None
    except ValueError:
        raise BadRequest("Bad Request - the body is not JSON.") from None
