"""The simulated Salesforce on a loopback port."""

from collections import Counter

from sandbox.faults import Faults
from sandbox.salesforce.app import Front
from sandbox.salesforce.org import SalesforceOrg
from sandbox.salesforce.quota import Quota
from sandbox.salesforce.resources import Resources
from sandbox.salesforce.sessions import Sessions
from sandbox.serving import LoopbackServer


class SalesforceServer:
    """Serves one org over HTTP, also as a context manager. `start` after `stop` uses the same port again.

    `page_size` is the most records in one reply (the header `Sforce-Query-Options: batchSize` asks for fewer, from 200
    on); `daily_limit` is the number of calls in 24 hours of the org's clock.
    """

    def __init__(
        self,
        org: SalesforceOrg,
        *,
        client_id: str = "simulator-client",
        client_secret: str = "simulator-secret",
        page_size: int = 2_000,
        daily_limit: int = 100_000,
        port: int = 0,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        quota = Quota(org.now, daily_limit)
        self._sessions = Sessions(org.now, client_id, client_secret)
        self._front = Front(Resources(org, quota), self._sessions, quota, page_size, lambda: self.url)
        self._server = LoopbackServer(self._front.app(), port, org.now)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def faults(self) -> Faults:
        """What goes wrong between the socket and this simulator."""
        return self._server.faults

    @property
    def requests(self) -> Counter[str]:
        """Requests so far by kind: token, versions, query, query_more, describe, sobjects, retrieve, deleted, limits,
        other. `requests.total()` is their sum; refused calls count too."""
        return self._front.counts()

    def expire_sessions(self) -> None:
        """End every session: the next call of each client is answered with 401."""
        self._sessions.revoke_all()

    def fail_next(self, times: int, status: int, code: str | None = None) -> None:
        """Answer the next `times` requests with `status`: a JSON error with `code`, else an HTML page."""
        self._front.fail_next(times, status, code)

    def start(self) -> str:
        """Listen, and return the base URL."""
        return self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> "SalesforceServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
