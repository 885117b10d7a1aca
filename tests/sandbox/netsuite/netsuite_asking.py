"""What the tests of the NetSuite simulator ask with: a clock that is moved by hand, and a query without a socket."""

from datetime import UTC, datetime, timedelta

from sandbox.netsuite import NetSuiteAccount
from sandbox.netsuite.paging import read_page

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Clock:
    """Stands still until `forward` is called."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: int) -> None:
        self.now += timedelta(**by)


def select(account: NetSuiteAccount, text: str, *params: object, limit: int = 1000) -> list[dict[str, str]]:
    """The first rows of the answer."""
    return read_page(account, text, params, limit, 0).rows


def column(account: NetSuiteAccount, text: str, *params: object) -> list[str | None]:
    """The one column that the query asks for."""
    rows = select(account, text, *params)
    return [next(iter(row.values()), None) for row in rows]
