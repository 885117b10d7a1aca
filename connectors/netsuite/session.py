"""Requests to the REST side of an account: signed in by either login, each inside the account's pool."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from connectors.errors import LoginRefused
from connectors.http import Answer, Wire
from connectors.netsuite.config import NetSuiteConfig
from connectors.netsuite.login import assertion_form
from connectors.netsuite.signing import TokenKeys, authorization
from connectors.tokens import MARGIN, Bearer, Token

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
# No account has this record: the answer is short, and it tells the time.
_NOBODY = "/services/rest/record/v1/customer/0"


class Session(Protocol):
    """A login that sends requests."""

    wire: Wire

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send signed in. Raises LoginRefused when the account refuses a fresh login too."""

    def greet(self) -> None:
        """Make sure that the account has answered, so that its clock is known."""


class GovernedWire(Wire):
    """A `Wire` that waits for its turn with the account."""

    def __init__(self, config: NetSuiteConfig, clock: Callable[[], datetime]) -> None:
        super().__init__(config.system, config.address, clock, config.timeout_s)
        self._share = config.share(clock)

    def send(self, method: str, path: str, **said: Any) -> Answer:
        with self._share.turn():
            return super().send(method, path, **said)


class OAuthSession(Bearer):
    """OAuth 2.0: a token that a signed assertion gets.

    `login` signs by our clock, and `by_account` by the account's, as far as its last answer told it.
    """

    def __init__(
        self,
        wire: Wire,
        login: Callable[[], Mapping[str, str]],
        by_account: Callable[[], Mapping[str, str]],
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(wire, TOKEN_PATH, login, clock)
        self._by_account = by_account

    def _fetch(self) -> Token:
        """An assertion that is refused while the clocks differ is signed once more, by the other clock."""
        try:
            return super()._fetch()
        except LoginRefused:
            if abs(self.wire.source_time() - self._clock()) < MARGIN:
                raise
        return self._granted(self._by_account())

    def greet(self) -> None:
        self.authorization()


class SignedSession:
    """Token-based authentication: every request is signed by itself."""

    def __init__(self, wire: Wire, keys: TokenKeys) -> None:
        self.wire = wire
        self._keys = keys
        self._met = False

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """After a 401 once more, with a new nonce and the account's own time."""
        url = f"{self.wire.base_url}{path}" + (f"?{urlencode(params)}" if params else "")
        for _ in range(2):
            signed = authorization(self._keys, method, url, self.wire.source_time())
            said = {**(headers or {}), "Authorization": signed}
            answer = self.wire.send(method, path, json=json, params=params, headers=said)
            self._met = True
            if answer.status != 401:
                return answer
        raise LoginRefused(
            f"{self.wire.system} refuses {method} {path} with a new signature. Check the token, its role and the keys."
        )

    def greet(self) -> None:
        if not self._met:
            self.send("GET", _NOBODY)


def session(config: NetSuiteConfig, clock: Callable[[], datetime]) -> Session:
    """The session that the settings ask for. Nothing is sent yet."""
    wire = GovernedWire(config, clock)
    keys = config.token_keys
    if keys is not None:
        return SignedSession(wire, keys)

    def signed_by(now: Callable[[], datetime]) -> Callable[[], Mapping[str, str]]:
        return assertion_form(
            client_id=config.client_id,
            certificate_id=config.certificate_id,
            private_key_pem=config.private_key_pem,
            token_url=wire.base_url + TOKEN_PATH,
            scope=config.scope,
            clock=now,
        )

    return OAuthSession(wire, signed_by(clock), signed_by(wire.source_time), clock)
