"""The JWT bearer grant: an assertion that the connected app's certificate verifies (vendors.md A1)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
# Clocks may differ a little; an assertion that lives longer than five minutes is refused all the same.
_LEEWAY, _LONGEST = timedelta(seconds=30), timedelta(minutes=5)


class LoginRefused(Exception):
    """A token request that is answered with 400 and {"error": ..., "error_description": ...}."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class JwtBearer:
    """Who may log in by assertion: one user of one app. Without a public key, nobody."""

    def __init__(
        self, clock: Callable[[], datetime], client_id: str, username: str, public_key_pem: str, url: Callable[[], str]
    ) -> None:
        self._clock = clock
        self._client_id = client_id
        self._username = username
        self._key = RSAKey.import_key(public_key_pem) if public_key_pem else None
        self._url = url

    def check(self, assertion: str) -> None:
        """LoginRefused unless signed by RS256 for this app, user and audience, and still valid for a few minutes."""
        claims = self._verified(assertion)
        if claims.get("iss") != self._client_id:
            raise LoginRefused("invalid_client_id", "client identifier invalid")
        if claims.get("aud") not in (*AUDIENCES, self._url()):
            raise LoginRefused("invalid_grant", "audience is invalid")
        if claims.get("sub") != self._username:
            raise LoginRefused("invalid_grant", "user hasn't approved this consumer")
        self._check_expiry(str(claims.get("exp", "")))

    def _verified(self, assertion: str) -> dict[str, Any]:
        if self._key is None:
            raise LoginRefused("invalid_client", "the app has no certificate")
        try:
            return jwt.decode(assertion, self._key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            raise LoginRefused("invalid_grant", "invalid assertion") from None

    def _check_expiry(self, exp: str) -> None:
        """The library that most clients use sends the number as a text, which Salesforce takes."""
        if not exp.isdecimal():
            raise LoginRefused("invalid_grant", "invalid assertion")
        left = datetime.fromtimestamp(int(exp), UTC) - self._clock()
        if left < -_LEEWAY:
            raise LoginRefused("invalid_grant", "expired authorization code")
        if left > _LONGEST:
            raise LoginRefused("invalid_grant", "the assertion expires too late")
