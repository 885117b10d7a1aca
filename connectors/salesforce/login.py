"""A client of simple-salesforce that is logged in, by either of the two logins that need nobody at a keyboard.

The library's own JWT login signs for *.salesforce.com and the machine's clock only (vendors.md A1), so the assertion
is made here, and the library's token request and client carry it.
"""

import base64
from datetime import datetime, timedelta
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.login import token_login

from connectors.errors import PermanentError, TransientError
from connectors.http import parsed
from connectors.salesforce.config import SalesforceConfig

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Salesforce takes no assertion that lives longer than a few minutes.
ASSERTION_LIFE = timedelta(minutes=3)
# The door sends every call to the configured base URL, so this host is never asked.
_TOKEN_URL = "https://my-domain.my.salesforce.com/services/oauth2/token"


class Client(Salesforce):
    """The library's client, with our reading of JSON: fractions as text, and a page in half the time."""

    def parse_result_to_json(self, result: requests.Response) -> Any:
        return parsed(result.content)


def logged_in(config: SalesforceConfig, session: requests.Session, now: datetime) -> Client:
    """A client with a new session; `now` is the org's clock. Raises LoginRefused, TransientError or PermanentError."""
    form, headers = _request(config, now)
    try:
        token, instance = token_login(_TOKEN_URL, form, "my-domain.my", config.consumer_key, headers, None, session)
        return Client(
            session_id=str(token or ""),
            instance=instance,
            version=config.api_version,
            session=session,
            # For what is asked by object, such as describe, which the library reads by itself.
            parse_float=str,
            object_pairs_hook=None,
        )
    except (SalesforceError, ValueError, TypeError, AttributeError):
        # Not chained: the library's message quotes the whole reply, which may hold a token.
        raise TransientError(f"{config.system} answered the login with something unreadable.") from None


def _request(config: SalesforceConfig, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers of the token request."""
    if config.login() == "jwt_bearer":
        return {"grant_type": JWT_GRANT, "assertion": assertion(config, now)}, {}
    basic = base64.b64encode(f"{config.consumer_key}:{config.consumer_secret}".encode()).decode()
    return {"grant_type": "client_credentials"}, {"Authorization": f"Basic {basic}"}


def assertion(config: SalesforceConfig, now: datetime) -> str:
    """What proves who we are, for three minutes. Raises PermanentError for a key that is no RSA key in PEM."""
    claims = {
        "iss": config.consumer_key,
        "sub": config.username,
        "aud": config.audience,
        "exp": int((now + ASSERTION_LIFE).timestamp()),
    }
    try:
        key = RSAKey.import_key(config.private_key_pem)
        return jwt.encode({"alg": "RS256"}, claims, key)
    except (JoseError, ValueError, TypeError):
        # Not chained: what the parser says may quote the key.
        raise PermanentError(
            f"The private_key_pem of {config.system} is no RSA private key in PEM. Set the key of the certificate that "
            "the connected app holds."
        ) from None
