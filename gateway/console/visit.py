"""One request of one visitor: who it is, what time it is, and the page that goes back."""

import functools
import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from books.snapshots import Snapshot
from gateway.api.access import InstallationDep
from gateway.console import words
from gateway.console.session import COOKIE, Sessions, Ticket
from gateway.errors import Refused
from gateway.installation import Installation
from gateway.keys.tables import ApiKey

SCOPE = "exceptions:write"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # `no-referrer` would also empty the Origin that forms are checked by.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gateway.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words.FILTERS)
    environment.globals.update(asset=asset, words=words)
    return environment


@functools.cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    content = (files("gateway.console") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def render(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page with the headers of every page."""
    text = _environment().get_template(template).render(**values)
    return HTMLResponse(text, status, headers=HEADERS)


@dataclass(frozen=True)
class Visit:
    """`actor` is who acts, None while nobody may; `now` is the one instant of this request."""

    request: Request
    installed: Installation
    sessions: Sessions
    ticket: Ticket
    actor: str | None
    now: datetime

    @property
    def must_sign_in(self) -> bool:
        return self.installed.config.console.access == "key" and self.actor is None

    @property
    def may_act(self) -> bool:
        """Whoever acts is a person of owners.yaml: an audit log that names a nobody explains nothing."""
        return self.actor is not None and self.actor in self.installed.owners.people

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page, and the cookie where the browser has none yet."""
        snapshot: Snapshot | None = None if self.must_sign_in else self.installed.ledger.latest()
        shown = {
            "visit": self,
            "now": self.now,
            "snapshot": snapshot,
            "names": words.Names(self.installed.owners),
            "form_token": self.sessions.form_token(self.ticket),
            "relative": lambda at: words.relative(at, self.now),
        }
        response = render(template, status, **{**shown, **values})
        if self.ticket.fresh:
            self.remember(response, self.ticket)
        return response

    def remember(self, response: Response, ticket: Ticket) -> None:
        """Give the browser a ticket."""
        cookie = self.sessions.write(ticket, self.now)
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=self.sessions.secure)


def anyone(request: Request, installed: InstallationDep) -> Visit:
    """A visit, signed in or not."""
    sessions = request.app.state.console_sessions
    assert isinstance(sessions, Sessions)
    now = installed.clock()
    ticket = sessions.read(request.cookies.get(COOKIE), now)
    console = installed.config.console
    if console.access == "open":
        _refuse_other_hosts(request, installed)
        actor = console.act_as
    else:
        actor = _key_name(installed, ticket.key_id) if ticket.key_id else None
    return Visit(request, installed, sessions, ticket, actor, now)


AnyVisitDep = Annotated[Visit, Depends(anyone)]


def signed_in(visit: AnyVisitDep) -> Visit:
    """A visit by somebody who may see the queue. Raises Refused (kind `unauthenticated`)."""
    if visit.must_sign_in:
        raise Refused("Sign in first.", "unauthenticated")
    return visit


VisitDep = Annotated[Visit, Depends(signed_in)]


def _key_name(installed: Installation, key_id: str) -> str | None:
    with installed.database.session() as session:
        key = session.get(ApiKey, key_id)
    usable = key is not None and key.revoked_at is None and SCOPE in key.scopes
    return key.name if key is not None and usable else None


def _refuse_other_hosts(request: Request, installed: Installation) -> None:
    """An open console trusts whoever reaches the port. A name that a foreign page has pointed here is not trusted."""
    host = request.url.hostname or ""
    if host != urlsplit(installed.config.public_url).hostname and not _is_loopback(host):
        raise HTTPException(403, f"The console is open to this machine only, and is not served as {host}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
