"""`/v1/prebill/validations`: the gate, asked by a billing platform."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Response

from gateway.api.access import Allowed, BodyDep, GateDep, InstallationDep
from gateway.api.problems import described
from gateway.errors import NotFound
from gateway.keys.keys import Caller
from gateway.prebill.answer import Answer
from gateway.prebill.decisions import restored
from gateway.prebill.request import Question
from gateway.prebill.tables import Validation

router = APIRouter(prefix="/v1/prebill", tags=["prebill"])
VALIDATING = Depends(Allowed("prebill:validate"))

# FastAPI neither parses the body nor makes the answer, so it is told what they look like.
(_QUESTION, _ANSWER), SCHEMAS = msgspec.json.schema_components(
    (Question, Answer), ref_template="#/components/schemas/{name}"
)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _QUESTION}}}}
_ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {"description": "A verdict", "content": {"application/json": {"schema": _ANSWER}}}
}


@router.post(
    "/validations",
    response_class=Response,
    openapi_extra=_BODY,
    responses={**_ANSWERED, **described(400, 401, 403, 404, 409, 413, 422, 503)},
)
def validate(
    who: Annotated[Caller, VALIDATING],
    gate: GateDep,
    body: BodyDep,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=255)],
) -> Response:
    """A verdict on an invoice run. 200 whenever the question could be put; only `proceed: true` releases."""
    return _sent(gate.ask(body, who.key_id, idempotency_key))


@router.get(
    "/validations/{validation_id}",
    response_class=Response,
    dependencies=[VALIDATING],
    responses={**_ANSWERED, **described(401, 403, 404, 422, 503)},
)
def read(
    validation_id: Annotated[str, Path(pattern="^val_[0-9a-f]{20}$", max_length=24)],
    installed: InstallationDep,
) -> Response:
    """A verdict that was given before, to whichever key. One that has expired releases nothing any more."""
    with installed.database.session() as session:
        row = session.get(Validation, validation_id)
        if row is None:
            raise NotFound(f"There is no validation {validation_id!r}.")
        answer = restored(row.answer)
        expired = installed.clock() >= row.expires_at
        return _sent({**answer, "proceed": False} if expired else answer)


def _sent(answer: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
