"""Logins by client credentials and by JWT bearer, and the sessions that they open (vendors.md A1)."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock

from sandbox.salesforce.errors import InvalidSession
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.jwt_bearer import JWT_GRANT, JwtBearer, LoginRefused

IDLE_LIMIT = timedelta(hours=2)
ORG_ID, USER_ID = make_id("00D", 1), make_id("005", 1)


class Sessions:
    """Open sessions by token. One ends after two idle hours by `clock`, or when it is revoked."""

    def __init__(self, clock: Callable[[], datetime], client_id: str, client_secret: str, bearer: JwtBearer) -> None:
        self._clock = clock
        self._bearer = bearer
        self._client_id = client_id
        self._client_secret = client_secret
        self._last_used: dict[str, datetime] = {}
        self._lock = Lock()

    def open(self, form: Mapping[str, str], authorization: str, instance_url: str) -> dict[str, str]:
        """The token reply for a login by Basic header, form fields or assertion; or LoginRefused."""
        if form.get("grant_type") == JWT_GRANT:
            self._bearer.check(form.get("assertion", ""))
        elif form.get("grant_type") == "client_credentials":
            self._check_client(form, authorization)
        else:
            raise LoginRefused("unsupported_grant_type", "grant type not supported")
        return self._reply(instance_url)

    def _check_client(self, form: Mapping[str, str], authorization: str) -> None:
        client_id, client_secret = _basic(authorization) or (form.get("client_id"), form.get("client_secret"))
        if client_id != self._client_id:
            raise LoginRefused("invalid_client_id", "client identifier invalid")
        if client_secret != self._client_secret:
            raise LoginRefused("invalid_client", "invalid client credentials")

    def check(self, authorization: str) -> None:
        """InvalidSession unless the header bears the token of an open session, which is then no longer idle."""
        scheme, _, token = authorization.partition(" ")
        now = self._clock()
        with self._lock:
            last_used = self._last_used.get(token)
            if scheme not in ("Bearer", "OAuth") or last_used is None or now - last_used > IDLE_LIMIT:
                self._last_used.pop(token, None)
                raise InvalidSession
            self._last_used[token] = now

    def revoke_all(self) -> None:
        with self._lock:
            self._last_used.clear()

    def _reply(self, instance_url: str) -> dict[str, str]:
        now = self._clock()
        token = f"{ORG_ID[:15]}!{secrets.token_urlsafe(48)}"
        with self._lock:
            self._last_used[token] = now
        identity, issued_at = f"{instance_url}/id/{ORG_ID}/{USER_ID}", str(int(now.timestamp() * 1000))
        signed = hmac.digest(self._client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256)
        return {
            "access_token": token,
            "signature": base64.b64encode(signed).decode(),
            "scope": "api",
            "instance_url": instance_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return None
    try:
        client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client_id, client_secret
