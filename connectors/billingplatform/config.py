"""The settings of a BillingPlatform source, and what is wrong with them."""

import re
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.errors import PermanentError
from connectors.retries import RetryPolicy

MOST_ROWS = 10_000  # of one page (vendors.md C1)
NO_ROWS = r"\bno (?:matching )?(?:rows?|records?|results?|data)\b|\bnot return any (?:rows?|records?|results?)\b"


@dataclass(frozen=True)
class BillingPlatformConfig:
    """`base_url` is the organisation's, such as https://my.billingplatform.com/acme, without `/rest/2.0`.

    A login is either `username` with `password`, or `client_id` with `client_secret`. What the vendor leaves open
    (vendors.md G1) is a setting: `zone`, in which the organisation writes its timestamps; `no_rows`, a regular
    expression for the text of a 404 that means an empty result; `draft_statuses`, those of an invoice that can still
    change. `query_by` sends a statement in the URL or in a body. `requests_per_minute` is a limit that we keep by
    ourselves.
    """

    base_url: str
    username: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    system: str = "billingplatform"
    zone: str = "UTC"
    page_size: int = MOST_ROWS
    query_by: Literal["get", "post"] = "get"
    no_rows: str = NO_ROWS
    draft_statuses: tuple[str, ...] = ("CURRENT",)
    requests_per_minute: int = 0
    timeout_s: float = 130.0
    retries: RetryPolicy = field(default_factory=RetryPolicy)

    @property
    def by_session(self) -> bool:
        """Whether the login is that of a user. Raises PermanentError unless exactly one login is given whole."""
        user, client = (self.username, self.password), (self.client_id, self.client_secret)
        if any(user) == any(client) or not (all(user) or all(client)):
            raise PermanentError(
                f"The source {self.system} needs exactly one login: username and password, or client_id and "
                "client_secret."
            )
        return all(user)

    @property
    def time_zone(self) -> ZoneInfo:
        """Raises PermanentError for a zone that is unknown."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise PermanentError(f"The source {self.system} names the unknown time zone {self.zone!r}.") from error

    @property
    def empty(self) -> re.Pattern[str]:
        """What tells that a 404 is an empty result. Raises PermanentError for no regular expression."""
        try:
            return re.compile(self.no_rows, re.IGNORECASE)
        except re.error as error:
            raise PermanentError(f"The setting no_rows of {self.system} is no regular expression: {error}.") from error

    @property
    def page(self) -> int:
        """Rows of a page. Raises PermanentError for more than the vendor gives, and for none."""
        if not 1 <= self.page_size <= MOST_ROWS:
            raise PermanentError(f"The setting page_size of {self.system} must be between 1 and {MOST_ROWS:,}.")
        return self.page_size
