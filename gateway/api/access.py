"""Who calls, and what they may: the dependencies that routes share."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.errors import Refused
from gateway.installation import Installation
from gateway.keys.keys import Caller, recognise
from gateway.prebill.gate import Gate

_bearer = HTTPBearer(auto_error=False, scheme_name="api_key", description="A key that `tieout keys create` made.")


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


def caller(
    installed: InstallationDep, presented: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Whose key it is. Raises Refused (kind `unauthenticated`)."""
    if presented is None:
        raise Refused("Send the API key as `Authorization: Bearer tk_…`.", "unauthenticated")
    with installed.database.session() as session:
        found = recognise(session, presented.credentials.strip())
    if found is None:
        raise Refused("This API key is not known, or was revoked.", "unauthenticated")
    return found


class Allowed:
    """Whose key it is, if it has the scope. Raises Refused (kinds `unauthenticated`, `scope-missing`)."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    def __call__(self, who: Annotated[Caller, Depends(caller)]) -> Caller:
        who.require(self._scope)
        return who


async def whole_body(request: Request) -> bytes:
    """The body as it came."""
    return await request.body()


BodyDep = Annotated[bytes, Depends(whole_body)]
