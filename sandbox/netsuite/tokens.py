"""OAuth 2.0 client credentials with a signed assertion, as NetSuite takes them (vendors.md B6)."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = timedelta(minutes=60)
CLOCK_SKEW = timedelta(minutes=1)
"""How far ahead of ours the client's clock may be."""
TOKEN_LIFE = timedelta(minutes=60)

_RSA_ALGORITHMS = ("PS256", "PS384", "PS512")
_EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_RSA_BITS = 3072


class GrantRefused(Exception):
    """No token: `error` is the code of the reply (HTTP 400), the message is for the one who reads the test."""

    def __init__(self, reason: str, *, error: str = "invalid_grant") -> None:
        super().__init__(reason)
        self.error = error


class TokenDesk:
    """Checks assertions of one certificate and keeps the access tokens that it gave out.

    `wall_clock` is the real time (aware), since clients stamp their assertions with theirs.
    """

    def __init__(
        self,
        *,
        client_id: str,
        certificate_id: str,
        public_key_pem: str,
        scope: str,
        audience: str,
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._client_id = client_id
        self._certificate_id = certificate_id
        self._key, self._algorithms = _public_key(public_key_pem)
        self._scope = scope
        self._audience = audience
        self._wall_clock = wall_clock
        self._tokens: dict[str, datetime] = {}

    def grant(self, form: str) -> dict[str, str]:
        """The reply to a token request with this form body. Raises GrantRefused."""
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        if fields.get("grant_type") != GRANT_TYPE:
            raise GrantRefused("The grant type is not client_credentials.", error="unsupported_grant_type")
        if fields.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in fields:
            raise GrantRefused("The client assertion, or its type, is missing.", error="invalid_request")
        self._check(fields["client_assertion"])
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._wall_clock() + TOKEN_LIFE
        # A string: so the real reply has it, against RFC 6749.
        seconds = str(int(TOKEN_LIFE.total_seconds()))
        return {"access_token": token, "expires_in": seconds, "token_type": "bearer"}

    def accepts(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries a token that is alive."""
        scheme, _, token = (authorization or "").partition(" ")
        expires_at = self._tokens.get(token)
        return scheme.lower() == "bearer" and expires_at is not None and self._wall_clock() < expires_at

    def revoke_all(self) -> None:
        """End every token that was given out, as an administrator can."""
        self._tokens.clear()

    def _check(self, assertion: str) -> None:
        try:
            token = jwt.decode(assertion, self._key, algorithms=self._algorithms)
        except (JoseError, ValueError) as error:
            known = ", ".join(self._algorithms)
            raise GrantRefused(f"The assertion is not signed by the certificate with {known}: {error}") from None
        expected = {"kid": self._certificate_id}
        self._compare(token.header, expected)
        self._compare(token.claims, {"iss": self._client_id, "aud": self._audience})
        self._check_scope(token.claims.get("scope"))
        self._check_time(token.claims.get("iat"), token.claims.get("exp"))

    def _compare(self, found: Mapping[str, object], expected: Mapping[str, str]) -> None:
        for name, value in expected.items():
            if found.get(name) != value:
                raise GrantRefused(f"{name} is {found.get(name)!r}; it must be {value!r}.")

    def _check_scope(self, scope: object) -> None:
        scopes = [part.strip() for part in scope.split(",")] if isinstance(scope, str) else scope
        if not isinstance(scopes, list) or self._scope not in scopes:
            raise GrantRefused(f"scope is {scope!r}; it must hold {self._scope!r}.")

    def _check_time(self, issued_at: object, expires_at: object) -> None:
        if not isinstance(issued_at, int) or not isinstance(expires_at, int):
            raise GrantRefused("iat and exp must be whole seconds.")
        now = self._wall_clock().timestamp()
        if issued_at > now + CLOCK_SKEW.total_seconds():
            raise GrantRefused("iat is in the future.")
        if expires_at <= now:
            raise GrantRefused("The assertion has expired.")
        if expires_at - issued_at > LONGEST_ASSERTION.total_seconds():
            raise GrantRefused("exp is more than 60 minutes after iat.")


def make_key_pair(algorithm: Literal["PS256", "ES256"]) -> tuple[str, str]:
    """A new private key (PKCS#8) and its public key, both PEM, for tests and the demo."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if algorithm == "PS256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def _public_key(pem: str) -> tuple[RSAKey | ECKey, tuple[str, ...]]:
    """The key and the algorithms it may sign with: RS256 and the rest of PKCS#1 v1.5 are refused."""
    key = load_pem_public_key(pem.encode())
    if isinstance(key, rsa.RSAPublicKey):
        return RSAKey.import_key(pem), _RSA_ALGORITHMS
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _EC_ALGORITHMS:
        return ECKey.import_key(pem), (_EC_ALGORITHMS[key.curve.name],)
    raise ValueError("The certificate needs an RSA key, or one on P-256, P-384 or P-521.")
