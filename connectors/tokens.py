"""Calls with a bearer token that is fetched when needed, renewed before it ends, and renewed once when refused."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import LoginRefused, PermanentError
from connectors.http import Answer, Form, Wire

# A token is renewed this long before its end, so that none ends on the way.
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Token:
    text: str
    ends_at: datetime


class Bearer:
    """A `Wire` with a login. `login` gives the form that the token URL takes."""

    def __init__(
        self, wire: Wire, token_path: str, login: Callable[[], Mapping[str, str]], clock: Callable[[], datetime]
    ) -> None:
        self.wire = wire
        self._token_path = token_path
        self._login = login
        self._clock = clock
        self._token: Token | None = None
        self._renewing = threading.Lock()  # the gate asks from several threads

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        answer: Form | None = None,
    ) -> Answer:
        """Send with a token; after a 401 once more with a new one. Raises LoginRefused when that is refused too."""
        for _ in range(2):
            token = self._current()
            said = {**(headers or {}), "Authorization": f"Bearer {token.text}"}
            got = self.wire.send(method, path, json=json, params=params, headers=said, answer=answer)
            if got.status != 401:
                return got
            with self._renewing:
                if self._token is token:
                    self._token = None
        raise LoginRefused(f"{self.wire.system} refuses {method} {path} with a new token. Check the role.")

    def authorization(self) -> dict[str, str]:
        """The header that carries the token."""
        return {"Authorization": f"Bearer {self._current().text}"}

    def _current(self) -> Token:
        with self._renewing:
            if self._token is None or self._clock() >= self._token.ends_at - MARGIN:
                self._token = self._fetch()
            return self._token

    def _fetch(self) -> Token:
        return self._granted(self._login())

    def _granted(self, form: Mapping[str, str]) -> Token:
        """The token that a form gets. Raises LoginRefused, PermanentError."""
        asked_at = self._clock()
        answer = self.wire.send("POST", self._token_path, form=form)
        body = answer.body if isinstance(answer.body, dict) else {}
        if answer.status in (400, 401, 403):
            why = body.get("error") if isinstance(body.get("error"), str) else f"HTTP {answer.status}"
            raise LoginRefused(f"{self.wire.system} refuses the login ({why}). Check the client's credentials.")
        text = body.get("access_token")
        if not answer.ok or not isinstance(text, str):
            raise PermanentError(f"{self.wire.system} answered the login without a token (HTTP {answer.status}).")
        # NetSuite sends the lifetime as a text, others as a number (vendors.md B6).
        lifetime = str(body.get("expires_in", ""))
        return Token(text, asked_at + timedelta(seconds=int(lifetime) if lifetime.isdigit() else 300))
