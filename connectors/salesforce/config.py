"""How a Salesforce org is reached, and how much of it may be used."""

from dataclasses import dataclass, field
from typing import Literal

from connectors.errors import PermanentError
from connectors.retries import RetryPolicy

Login = Literal["client_credentials", "jwt_bearer"]


@dataclass(frozen=True)
class SalesforceConfig:
    """`base_url` is the My Domain URL; every call goes there, whatever address a reply names.

    Exactly one login is configured: `consumer_secret` (client credentials), or `username` with `private_key_pem` (JWT
    bearer, RS256; `audience` is https://test.salesforce.com for a sandbox). `timeout_s` is above the two minutes after
    which Salesforce gives up a query. An object with more than `bulk_above` records is read the first time by a Bulk
    API 2.0 job, `bulk_page` records in one download; after `bulk_wait_s` the next poll looks whether the job is
    done. Nothing is asked any more once the org as a whole has used `daily_share` of its daily requests.
    """

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(default="", repr=False)
    username: str = ""
    private_key_pem: str = field(default="", repr=False)
    audience: str = "https://login.salesforce.com"
    system: str = "salesforce"
    api_version: str = "67.0"
    timeout_s: float = 150.0
    bulk_above: int = 50_000
    bulk_page: int = 20_000
    bulk_wait_s: float = 600.0
    daily_share: float = 0.8
    retries: RetryPolicy = field(default_factory=RetryPolicy)

    def login(self) -> Login:
        """Which login is configured. Raises PermanentError, naming both, where it is none or both or half of one."""
        by_key = bool(self.username) and bool(self.private_key_pem)
        if self.consumer_secret and not self.private_key_pem and not self.username:
            return "client_credentials"
        if by_key and not self.consumer_secret:
            return "jwt_bearer"
        raise PermanentError(
            f"{self.system} needs exactly one login: client credentials (consumer_key and consumer_secret), or JWT "
            "bearer (consumer_key, username and private_key_pem). Set one of them, and nothing of the other."
        )

    def checked(self) -> "SalesforceConfig":
        """The same. Raises PermanentError for a setting that makes no sense."""
        self.login()
        if not 0 < self.daily_share <= 1:
            raise PermanentError(f"{self.system} has daily_share {self.daily_share}; it must be above 0 and at most 1.")
        if self.bulk_above < 0 or self.bulk_page < 1:
            raise PermanentError(f"{self.system} has a bulk_above below 0 or a bulk_page below 1. Correct the setting.")
        return self
