"""Token-based authentication: signatures of SOAP passports and of OAuth 1.0 headers (vendors.md B3, B6).

Written from the vendor's description and RFC 5849, on purpose without the library that the connector signs with.
"""

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

LONGEST_SKEW = timedelta(minutes=5)
_NONCE = re.compile(r"[A-Za-z0-9]{6,64}")
_PARAMETER = re.compile(r'\s*([\w-]+)="([^"]*)"\s*')


@dataclass(frozen=True)
class TokenKeys:
    """An integration's consumer key and a user's token, each with its secret."""

    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str


class PassportRefused(Exception):
    """Not let in; the message is for the one who reads the test."""


class PassportDesk:
    """Checks what is signed with one pair of keys. A nonce counts once, and a stamp has to be near `wall_clock`."""

    def __init__(self, keys: TokenKeys, account_id: str, wall_clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._account = account_id.upper().replace("-", "_")
        self._wall_clock = wall_clock
        self._seen: set[str] = set()
        self._refuse_next = 0
        self._lock = threading.Lock()

    def refuse_next(self, times: int) -> None:
        """Refuse so many logins, whatever they say."""
        with self._lock:
            self._refuse_next += times

    def check_passport(self, passport: Mapping[str, str], algorithm: str, signature: str) -> None:
        """`passport`: account, consumerKey, token, nonce and timestamp as texts. Raises PassportRefused."""
        base = "&".join(passport[name] for name in ("account", "consumerKey", "token", "nonce", "timestamp"))
        if algorithm.replace("_", "-") != "HMAC-SHA256":
            raise PassportRefused(f"The algorithm {algorithm} is not HMAC-SHA256.")
        key = f"{self._keys.consumer_secret}&{self._keys.token_secret}"
        self._compare(signature, signed(key, base))
        self._check(passport["account"], passport["consumerKey"], passport["token"])
        self._use(passport["nonce"], passport["timestamp"])

    def check_header(self, method: str, url: str, authorization: str) -> None:
        """An `Authorization: OAuth ...` header for a request to `url`. Raises PassportRefused."""
        scheme, _, rest = authorization.partition(" ")
        found = {name: unquote(value) for name, value in _PARAMETER.findall(rest)}
        if scheme.lower() != "oauth" or found.get("oauth_signature_method") != "HMAC-SHA256":
            raise PassportRefused("The header is no OAuth 1.0 header that is signed with HMAC-SHA256.")
        if found.get("oauth_version", "1.0") != "1.0":
            raise PassportRefused("The version of OAuth is not 1.0.")
        key = f"{_quoted(self._keys.consumer_secret)}&{_quoted(self._keys.token_secret)}"
        self._compare(found.get("oauth_signature", ""), signed(key, _base_string(method, url, found)))
        self._check(found.get("realm", ""), found.get("oauth_consumer_key", ""), found.get("oauth_token", ""))
        self._use(found.get("oauth_nonce", ""), found.get("oauth_timestamp", ""))

    def _compare(self, given: str, right: str) -> None:
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise PassportRefused("The signature is wrong.")

    def _check(self, account: str, consumer_key: str, token: str) -> None:
        known = (self._account, self._keys.consumer_key, self._keys.token_id)
        if (account, consumer_key, token) != known:
            raise PassportRefused("The account, the consumer key or the token is not known.")

    def _use(self, nonce: str, timestamp: str) -> None:
        if not _NONCE.fullmatch(nonce):
            raise PassportRefused("The nonce has not 6 to 64 letters and digits.")
        if not timestamp.isdecimal() or abs(int(timestamp) - self._wall_clock().timestamp()) > _skew_s():
            raise PassportRefused("The timestamp is too far from now.")
        with self._lock:
            if nonce in self._seen:
                raise PassportRefused("The nonce was used before.")
            self._seen.add(nonce)
            if self._refuse_next:
                self._refuse_next -= 1
                raise PassportRefused("This login was to be refused.")


def _skew_s() -> float:
    return LONGEST_SKEW.total_seconds()


def signed(key: str, base: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _base_string(method: str, url: str, header: Mapping[str, str]) -> str:
    """RFC 5849, section 3.4.1: the method, the URL without its query, and all parameters in their order."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    own = [(name, value) for name, value in header.items() if name not in ("realm", "oauth_signature")]
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in [*query, *own])
    parameters = "&".join(f"{name}={value}" for name, value in pairs)
    bare = f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path}"
    return "&".join((method.upper(), _quoted(bare), _quoted(parameters)))


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")
