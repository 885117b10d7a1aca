"""Token-based authentication: what signs a REST request (OAuth 1.0a) and a SOAP passport (vendors.md B3, B6).

A nonce is taken once, also by a repeated request: so nothing that is signed here is ever kept.
"""

import base64
import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oauth1 import ClientAuth
from authlib.oauth1.rfc5849.parameters import prepare_headers
from authlib.oauth1.rfc5849.signature import generate_signature_base_string
from authlib.oauth1.rfc5849.util import escape

ALGORITHM = "HMAC-SHA256"
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class TokenKeys:
    """The keys of an integration and of a user's token. `account` is written as NetSuite signs it: 1234567_SB1."""

    account: str
    consumer_key: str
    consumer_secret: str = field(repr=False)
    token_id: str
    token_secret: str = field(repr=False)


def authorization(keys: TokenKeys, method: str, url: str, now: datetime) -> str:
    """The Authorization header of one request; `url` with its query, which is signed, as a JSON body is not."""
    signer = ClientAuth(
        keys.consumer_key,
        keys.consumer_secret,
        keys.token_id,
        keys.token_secret,
        signature_method=ALGORITHM,
        realm=keys.account,
    )
    # The one method that NetSuite takes is none of those that the library brings.
    signer.SIGNATURE_METHODS = {ALGORITHM: _signature}
    params = signer.get_oauth_params(nonce(), str(int(now.timestamp())))
    unsigned = prepare_headers(params, {}, realm=keys.account)
    params.append(("oauth_signature", signer.get_oauth_signature(method, url, unsigned, "")))
    header: str = prepare_headers(params, {}, realm=keys.account)["Authorization"]
    return header


def passport(keys: TokenKeys, now: datetime, once: str) -> dict[str, Any]:
    """The SOAP header tokenPassport as zeep takes it. `once` is a nonce."""
    stamp = str(int(now.timestamp()))
    base = "&".join((keys.account, keys.consumer_key, keys.token_id, once, stamp))
    signature = _signed(f"{keys.consumer_secret}&{keys.token_secret}", base)
    return {
        "account": keys.account,
        "consumerKey": keys.consumer_key,
        "token": keys.token_id,
        "nonce": once,
        "timestamp": stamp,
        "signature": {"_value_1": signature, "algorithm": ALGORITHM},
    }


def nonce() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(32))


def _signature(client: ClientAuth, request: Any) -> str:
    key = f"{escape(client.client_secret)}&{escape(client.token_secret)}"
    return _signed(key, generate_signature_base_string(request))


def _signed(key: str, base: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()
