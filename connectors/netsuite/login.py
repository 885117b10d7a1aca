"""The NetSuite login for machines: an account id that may become a host name, and a signed assertion.

Facts: vendors.md B1, B6. RS256 is refused, and `aud` must be the token URL to the letter.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from connectors.errors import LoginRefused, PermanentError

# The account id becomes a part of a host name: anything else in it could send the login elsewhere.
_ACCOUNT = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)?")
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
LIFETIME = timedelta(minutes=5)


def host_of(account_id: str) -> str:
    """The REST host of an account. Raises PermanentError unless the id looks like 1234567 or 1234567_SB1."""
    if not _ACCOUNT.fullmatch(account_id):
        raise PermanentError(f"{account_id!r} is not a NetSuite account id such as 1234567 or 1234567_SB1.")
    return f"{account_id.lower().replace('_', '-')}.suitetalk.api.netsuite.com"


def realm_of(account_id: str) -> str:
    """The account as signatures name it: upper case, with an underscore. Raises PermanentError as `host_of` does."""
    host_of(account_id)
    return account_id.upper().replace("-", "_")


def assertion_form(
    *,
    client_id: str,
    certificate_id: str,
    private_key_pem: str,
    token_url: str,
    scope: Sequence[str],
    clock: Callable[[], datetime],
) -> Callable[[], Mapping[str, str]]:
    """A function that gives the form for the token URL, with an assertion signed at that moment.

    Raises LoginRefused for a key that cannot sign.
    """
    key, algorithm = _key(private_key_pem)

    def form() -> Mapping[str, str]:
        now = int(clock().timestamp())
        claims = {
            "iss": client_id,
            "scope": list(scope),
            "aud": token_url,
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
        }
        header = {"alg": algorithm, "kid": certificate_id}
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(header, claims, key, algorithms=[algorithm]),
        }

    return form


def _key(pem: str) -> tuple[RSAKey | ECKey, str]:
    try:
        return RSAKey.import_key(pem), "PS256"
    except (JoseError, ValueError, TypeError):
        pass
    try:
        key = ECKey.import_key(pem)
    except (JoseError, ValueError, TypeError) as error:
        # Not chained: the library's message may quote the key.
        del error
        raise LoginRefused("The private key for NetSuite is neither an RSA nor an EC key in PEM form.") from None
    if key.curve_name not in _CURVES:
        raise LoginRefused("The private key for NetSuite is on a curve that NetSuite does not take; use P-256.")
    return key, _CURVES[key.curve_name]
