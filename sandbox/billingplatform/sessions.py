"""Who may ask: sessions of a user, and tokens of a client (vendors.md C1)."""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sandbox.billingplatform.refusals import BadRequest, NoSession, Refusal


class LoginRefused(Refusal):
    """In a 200, as the vendor's own login answers; a client with a wrong secret gets a 401."""

    status = 401


class Sessions:
    """`lifetime` None: a session lasts until it is ended. Thread-safe."""

    def __init__(
        self,
        *,
        user: tuple[str, str],
        client: tuple[str, str],
        clock: Callable[[], datetime],
        lifetime: timedelta | None,
    ) -> None:
        self._user = user
        self._client = client
        self._clock = clock
        self._lifetime = lifetime
        self._open: dict[str, datetime] = {}
        self.logins = 0

    def log_in(self, body: object) -> str:
        """A session for a user with the right password."""
        given = (body.get("username"), body.get("password")) if isinstance(body, dict) else (None, None)
        if not all(isinstance(word, str) for word in given):
            raise BadRequest("Bad Request - username and password are missing.")
        if given != self._user:
            raise LoginRefused("Invalid username or password.")
        return self._opened()

    def grant(self, authorization: str, grant_type: str) -> str:
        """An access token for a client that names itself by HTTP Basic."""
        if grant_type != "client_credentials":
            raise BadRequest("Bad Request - grant_type must be client_credentials.")
        scheme, _, encoded = authorization.partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        if scheme.lower() != "basic" or pair != ":".join(self._client):
            raise LoginRefused("Invalid client.")
        return self._opened()

    def end(self, headers: Mapping[str, str]) -> None:
        """Log out."""
        self._open.pop(_carried(headers), None)

    def end_all(self) -> None:
        """Every session has expired."""
        self._open.clear()

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises NoSession unless the request carries a session that is still open."""
        since = self._open.get(_carried(headers))
        if since is None or (self._lifetime is not None and self._clock() - since >= self._lifetime):
            raise NoSession

    def _opened(self) -> str:
        self.logins += 1
        session = secrets.token_hex(16)
        self._open[session] = self._clock()
        return session


def _carried(headers: Mapping[str, str]) -> str:
    """The session of a request: the header `sessionid`, or a bearer token. Header names are in lower case."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("sessionid") or (token if scheme.lower() == "bearer" else "")
