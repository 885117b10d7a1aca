"""OAuth bearer tokens ("Create an OAuth token")."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import parse_qsl

from sandbox.zuora.calls import Answer, Call, json_answer
from sandbox.zuora.errors import Unauthorized
from sandbox.zuora.ids import make_id

LIFETIME = timedelta(seconds=3599)


class Tokens:
    def __init__(self, client_id: str, client_secret: str, clock: Callable[[], datetime]) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._expiry: dict[str, datetime] = {}
        self._issued = 0

    def issue(self, call: Call) -> Answer:
        """POST /oauth/token, a form; 401 for wrong credentials, 400 for another grant type."""
        form = dict(parse_qsl(call.body.decode("latin-1"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type", "The grant type must be client_credentials.")
        if not self._known(form.get("client_id", ""), form.get("client_secret", "")):
            return _error(401, "invalid_client", "Invalid client id or secret.")
        self._issued += 1
        token = make_id("Token", self._issued)
        self._expiry[token] = self._clock() + LIFETIME
        return json_answer(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": int(LIFETIME.total_seconds()),
                "scope": "service.echo.read tenant.1",
                "jti": make_id("Jti", self._issued),
            }
        )

    def check(self, call: Call) -> None:
        """Raises Unauthorized unless the call carries a token that is still valid."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        expiry = self._expiry.get(token) if scheme.lower() == "bearer" else None
        if expiry is None or self._clock() >= expiry:
            raise Unauthorized("Authentication error")

    def revoke(self) -> None:
        self._expiry = {}

    def _known(self, client_id: str, secret: str) -> bool:
        right_id = compare_digest(client_id.encode(), self._client_id.encode())
        return compare_digest(secret.encode(), self._client_secret.encode()) and right_id


def _error(status: int, error: str, message: str) -> Answer:
    return json_answer({"error": error, "error_description": message}, status)
