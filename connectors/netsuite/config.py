"""The settings of a NetSuite source, and which of the two logins they configure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from connectors.errors import LoginRefused, PermanentError
from connectors.netsuite.governor import Share, governor_of
from connectors.netsuite.login import host_of, realm_of
from connectors.netsuite.signing import TokenKeys
from connectors.retries import RetryPolicy

LARGEST_PAGE = 1_000
SMALLEST_SOAP_PAGE = 5
_WAYS = (
    "client_id, certificate_id and private_key_pem (OAuth 2.0), "
    "or consumer_key, consumer_secret, token_id and token_secret (token-based authentication)"
)


@dataclass(frozen=True)
class NetSuiteConfig:
    """`account_id` as 1234567 or 1234567_SB1; the address follows from it unless `base_url` is given.

    Exactly one login. OAuth 2.0: `private_key_pem` signs, RSA (PS256) or an elliptic curve (ES256, ES384, ES512).
    Token-based: the two keys and their secrets; SOAP knows no other.

    `transport`: suiteql, or soap for an account that is still on it. `wsdl` is the URL or file of its description,
    where {account} stands for the account's part of the host name. `page_size`: 1,000 with suiteql and 200 with soap
    unless given. `concurrency`: requests at once, of the 5 or more that all integrations of the account share.
    `daily_requests`: no more than so many a day, counted by this process. `timeout_s` is above the 15 minutes that a
    query may take. Raises PermanentError for settings that do not go together.
    """

    account_id: str
    client_id: str = ""
    certificate_id: str = ""
    private_key_pem: str = field(default="", repr=False)
    base_url: str = ""
    system: str = "netsuite"
    scope: tuple[str, ...] = ("rest_webservices",)
    timeout_s: float = 920.0
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    consumer_key: str = field(default="", repr=False)
    consumer_secret: str = field(default="", repr=False)
    token_id: str = field(default="", repr=False)
    token_secret: str = field(default="", repr=False)
    transport: Literal["suiteql", "soap"] = "suiteql"
    wsdl: str = ""
    page_size: int | None = None
    concurrency: int = 2
    daily_requests: int | None = None

    def __post_init__(self) -> None:
        host_of(self.account_id)
        if self.transport not in ("suiteql", "soap"):
            raise PermanentError(f"{self.system} has the transport {self.transport!r}; it can be suiteql or soap.")
        least = SMALLEST_SOAP_PAGE if self.transport == "soap" else 1
        if self.page_size is not None and not least <= self.page_size <= LARGEST_PAGE:
            raise PermanentError(f"page_size of {self.system} must be {least} to {LARGEST_PAGE:,}.")
        if self.concurrency < 1 or (self.daily_requests is not None and self.daily_requests < 1):
            raise PermanentError(f"concurrency and daily_requests of {self.system} must be 1 or more.")

    @property
    def address(self) -> str:
        """Where the account answers."""
        return (self.base_url or f"https://{host_of(self.account_id)}").rstrip("/")

    @property
    def token_keys(self) -> TokenKeys | None:
        """The keys of token-based authentication; None where the login is OAuth 2.0.

        Raises LoginRefused unless exactly one login is there, and whole, and one that the transport takes.
        """
        oauth = (self.client_id, self.certificate_id, self.private_key_pem)
        tokens = (self.consumer_key, self.consumer_secret, self.token_id, self.token_secret)
        if any(oauth) == any(tokens) or not (all(oauth) or all(tokens)):
            raise LoginRefused(f"{self.system} needs exactly one whole login: {_WAYS}.")
        if all(oauth) and self.transport == "soap":
            raise LoginRefused(f"{self.system} reads by SOAP, which takes only token-based authentication: {_WAYS}.")
        if all(oauth):
            return None
        realm = realm_of(self.account_id)
        return TokenKeys(realm, self.consumer_key, self.consumer_secret, self.token_id, self.token_secret)

    def share(self, clock: Callable[[], datetime]) -> Share:
        """This source's share of the account's requests."""
        governor = governor_of(realm_of(self.account_id), self.address)
        return Share(governor, self.concurrency, self.daily_requests, clock)
