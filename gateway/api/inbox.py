"""`/v1/inbox`: what integration platforms post to a files source, signed."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel

from gateway.api.access import BodyDep, InstallationDep
from gateway.api.problems import described
from gateway.inbox import Inbox
from gateway.inbox.inbox import Received

router = APIRouter(prefix="/v1/inbox", tags=["inbox"])

_RECORD = {"type": "object"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_RECORD, {"type": "array", "items": _RECORD, "minItems": 1}]}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


class Taken(BaseModel):
    """The records that were kept for the next poll, as which file, and whether an earlier request had brought them."""

    records: int
    file: str
    repeated: bool

    @classmethod
    def of(cls, received: Received) -> "Taken":
        return cls(records=received.records, file=received.file, repeated=received.repeated)


@router.post(
    "/{source}/{object}",
    status_code=202,
    openapi_extra=_BODY,
    responses=described(400, 401, 404, 409, 413, 422, 503),
)
def take(
    source: Annotated[str, Path(max_length=63)],
    name: Annotated[str, Path(alias="object", max_length=255)],
    installed: InstallationDep,
    body: BodyDep,
    tieout_signature: Annotated[str, Header(max_length=4096)] = "",
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Taken:
    """Take records of an object: one JSON object, an array, or JSON Lines. The next poll brings them into the books."""
    return Taken.of(Inbox(installed).take(source, name, body, tieout_signature, idempotency_key))
