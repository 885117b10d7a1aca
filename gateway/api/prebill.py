"""`/v1/prebill/validations`: the gate, asked by a billing platform."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header

from gateway.api.access import BodyDep, CallerDep, GateDep, InstallationDep
from gateway.errors import NotFound, Refused
from gateway.prebill.request import Question
from gateway.prebill.tables import Validation

router = APIRouter(prefix="/v1/prebill", tags=["prebill"])

_SCHEMAS, _COMPONENTS = msgspec.json.schema_components((Question,), ref_template="#/components/schemas/{name}")
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMAS[0]}}}}


def request_schemas() -> dict[str, Any]:
    """The request's schemas, for the OpenAPI document."""
    return dict(_COMPONENTS)


@router.post("/validations", openapi_extra=_BODY)
def validate(
    who: CallerDep,
    gate: GateDep,
    body: BodyDep,
    idempotency_key: Annotated[str, Header(max_length=255)] = "",
) -> dict[str, Any]:
    """A verdict on an invoice run. Always 200 when the question could be put; only `proceed: true` releases."""
    who.require("prebill:validate")
    if not idempotency_key:
        raise Refused("Send an Idempotency-Key header, a new one for each question.", "idempotency-key-missing")
    return gate.ask(body, who.key_id, idempotency_key)


@router.get("/validations/{validation_id}")
def read(validation_id: str, who: CallerDep, installed: InstallationDep) -> dict[str, Any]:
    """A verdict that was given before."""
    who.require("prebill:validate")
    with installed.database.session() as session:
        row = session.get(Validation, validation_id)
        if row is None:
            raise NotFound(f"There is no validation {validation_id!r}.")
        return row.answer
