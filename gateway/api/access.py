"""Who calls, and how much they may send: the dependencies that routes share."""

from typing import Annotated

from fastapi import Depends, Header, Request

from gateway.errors import Refused
from gateway.installation import Installation
from gateway.keys.keys import Caller, recognise
from gateway.prebill.gate import Gate

# A client that is still sending gets its answer only when it has finished; so much is read and thrown away.
DRAINED_BYTES = 128 * 1024 * 1024


def installation(request: Request) -> Installation:
    found = request.app.state.installation
    assert isinstance(found, Installation)
    return found


def gate(request: Request) -> Gate:
    found = request.app.state.gate
    assert isinstance(found, Gate)
    return found


InstallationDep = Annotated[Installation, Depends(installation)]
GateDep = Annotated[Gate, Depends(gate)]


def caller(installed: InstallationDep, authorization: Annotated[str, Header()] = "") -> Caller:
    """Whose key it is. Raises Refused (kind `unauthenticated`)."""
    scheme, _, presented = authorization.partition(" ")
    if scheme.lower() != "bearer" or not presented:
        raise Refused("Send the API key as `Authorization: Bearer tk_…`.", "unauthenticated")
    with installed.database.session() as session:
        found = recognise(session, presented.strip())
    if found is None:
        raise Refused("This API key is not known, or was revoked.", "unauthenticated")
    return found


CallerDep = Annotated[Caller, Depends(caller)]


async def limited_body(request: Request) -> bytes:
    """The body, if it is not larger than the gate's limit. Raises Refused (kind `body-too-large`)."""
    limit = installation(request).config.gate.max_body_bytes
    kept, received = bytearray(), 0
    async for chunk in request.stream():
        received += len(chunk)
        if received <= limit:
            kept += chunk
        if received > DRAINED_BYTES:
            break
    if received > limit:
        raise Refused(
            f"The body is larger than {limit:,} bytes. Split the run, or let Tieout pull it.", "body-too-large"
        )
    return bytes(kept)


BodyDep = Annotated[bytes, Depends(limited_body)]
