"""Who looks at a page: a signed cookie, and a token in every form that only this cookie's pages can hold.

The cookie names the API key that was shown at the sign-in; the key is looked up again at every request, so that a
revoked one is out at once.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken

from gateway.errors import ConfigError

COOKIE = "tieout_session"
SECRET_VARIABLE = "TIEOUT_CONSOLE_SECRET"
LIFETIME = timedelta(hours=12)  # a working day; then the key is asked for again
SHORTEST_SECRET = 32


@dataclass(frozen=True)
class Ticket:
    """What the cookie says. `key_id` is None until somebody signs in; `fresh`: the browser has not got it yet."""

    id: str
    key_id: str | None = None
    fresh: bool = False


def new_ticket(key_id: str | None = None) -> Ticket:
    return Ticket(secrets.token_urlsafe(24), key_id, fresh=True)


class Sessions:
    """Signs and reads tickets. `secure`: the cookie travels by HTTPS only."""

    def __init__(self, secret: str, *, secure: bool) -> None:
        self.secure = secure
        self._box = Fernet(base64.urlsafe_b64encode(_derived("session", secret)))
        self._form_key = _derived("form", secret)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, secure: bool) -> "Sessions":
        """With TIEOUT_CONSOLE_SECRET, else with a secret that ends with the process. ConfigError for a short one."""
        secret = environment.get(SECRET_VARIABLE) or secrets.token_hex(32)
        if len(secret) < SHORTEST_SECRET:
            raise ConfigError(f"{SECRET_VARIABLE} has fewer than {SHORTEST_SECRET} characters; make a longer one.")
        return cls(secret, secure=secure)

    def read(self, cookie: str | None, now: datetime) -> Ticket:
        """The ticket of a cookie; a new one where there is none, or it is forged, or too old."""
        try:
            lifetime = int(LIFETIME.total_seconds())
            said = json.loads(self._box.decrypt_at_time((cookie or "").encode(), lifetime, int(now.timestamp())))
        except InvalidToken:
            return new_ticket()
        return Ticket(said["id"], said["key"])

    def write(self, ticket: Ticket, now: datetime) -> str:
        """The cookie of a ticket."""
        said = json.dumps({"id": ticket.id, "key": ticket.key_id}).encode()
        return self._box.encrypt_at_time(said, int(now.timestamp())).decode()

    def form_token(self, ticket: Ticket) -> str:
        """What a form has to bring back to be this visitor's own."""
        return hmac.new(self._form_key, ticket.id.encode(), hashlib.sha256).hexdigest()

    def is_own_form(self, ticket: Ticket, token: str) -> bool:
        return hmac.compare_digest(self.form_token(ticket).encode(), token.encode())


def _derived(purpose: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), f"tieout console {purpose}".encode(), hashlib.sha256).digest()
