"""`/v1/webhooks/{source}`: messages of source systems, told by their signature and not by an API key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from gateway.api.access import InstallationDep
from gateway.api.problems import described
from gateway.webhooks.receiving import MOST_BYTES, receive

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


class Received(BaseModel):
    """`success` is what Zuora looks for where it is told to read answers. `duplicate`: nothing new was kept."""

    success: bool = True
    id: str
    duplicate: bool


async def small_body(request: Request) -> bytes:
    """The body as it came. Raises HTTPException, status 413, as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"The body is larger than {MOST_BYTES:,} bytes: name fewer records")
    return bytes(body)


@router.post("/{source}", status_code=202, openapi_extra=_BODY, responses=described(401, 404, 413, 422, 503))
async def deliver(
    source: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,62}$")],
    request: Request,
    installed: InstallationDep,
    body: Annotated[bytes, Depends(small_body)],
) -> Received:
    """Keep a message. What it names is read shortly afterwards, so the sender never waits for that."""
    receipt = await run_in_threadpool(receive, installed, source, dict(request.headers), body)
    return Received(id=receipt.id, duplicate=receipt.duplicate)
