"""Signing in with an API key, and out again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response

from gateway.console.posted import SaidDep, own_form
from gateway.console.session import COOKIE, new_ticket
from gateway.console.visit import SCOPE, AnyVisitDep
from gateway.keys.keys import recognise

router = APIRouter(include_in_schema=False)
SEE_OTHER = 303


@router.get("/sign-in")
def ask(visit: AnyVisitDep, to: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """The form; nothing to ask where the console is open or the visitor is already in."""
    if not visit.must_sign_in:
        return RedirectResponse(_local(to), SEE_OTHER)
    return visit.page("sign_in.html", to=_local(to), refusal=None)


@router.post("/sign-in")
def sign_in(visit: AnyVisitDep, said: SaidDep) -> Response:
    """A session for a key that may write to the queue, with a new identity, so that an older cookie gains nothing."""
    to = _local(said.text("to"))
    with visit.installed.database.session() as session:
        caller = recognise(session, said.text("key"))
    if caller is None:
        return visit.page("sign_in.html", 401, to=to, refusal="This API key is not known, or was revoked.")
    if SCOPE not in caller.scopes:
        refusal = f"The key {caller.name!r} does not have the scope {SCOPE}, which the console needs."
        return visit.page("sign_in.html", 403, to=to, refusal=refusal)
    response = RedirectResponse(to, SEE_OTHER)
    visit.remember(response, new_ticket(caller.key_id))
    return response


@router.post("/sign-out", dependencies=[Depends(own_form)])
def sign_out(visit: AnyVisitDep) -> Response:
    response = RedirectResponse("/sign-in", SEE_OTHER)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=visit.sessions.secure)
    return response


def _local(to: str) -> str:
    """An address of this console; the front page for anything that could lead away from it."""
    inside = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() and "\\" not in to
    return to if inside else "/"
