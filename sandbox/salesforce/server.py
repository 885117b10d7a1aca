"""The simulated Salesforce on a loopback port."""

from collections import Counter

from sandbox.faults import Faults
from sandbox.salesforce.app import Front
from sandbox.salesforce.bulk_jobs import BulkJobs
from sandbox.salesforce.jwt_bearer import JwtBearer
from sandbox.salesforce.org import SalesforceOrg
from sandbox.salesforce.quota import Quota
from sandbox.salesforce.resources import Resources
from sandbox.salesforce.sessions import Sessions
from sandbox.serving import LoopbackServer


class SalesforceServer:
    """Serves one org over HTTP, also as a context manager. `start` after `stop` uses the same port again.

    `page_size` is the most records in one reply (the header `Sforce-Query-Options: batchSize` asks for fewer, from 200
    on); `daily_limit` is the number of calls in 24 hours of the org's clock, `app_limit` the number of those that the
    app may make. With the public key of a certificate, `username` may log in by JWT bearer as well.
    """

    def __init__(
        self,
        org: SalesforceOrg,
        *,
        client_id: str = "simulator-client",
        client_secret: str = "simulator-secret",
        page_size: int = 2_000,
        daily_limit: int = 100_000,
        app_limit: int | None = None,
        public_key_pem: str = "",
        username: str = "integration@acme.test",
        port: int = 0,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.username = username
        self._quota = Quota(org.now, daily_limit, app_limit)
        self.bulk = BulkJobs(org, self._quota, org.now)
        bearer = JwtBearer(org.now, client_id, username, public_key_pem, lambda: self.url)
        self._sessions = Sessions(org.now, client_id, client_secret, bearer)
        resources = Resources(org, self._quota)
        self._front = Front(resources, self.bulk, self._sessions, self._quota, page_size, lambda: self.url)
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
        record_count, bulk_create, bulk_list, bulk_poll, bulk_results, bulk_pages, bulk_abort, bulk_delete, other.
        `requests.total()` is their sum; refused calls count too."""
        return self._front.counts()

    @property
    def used(self) -> int:
        """Calls of the past 24 hours that count against the daily limit."""
        return self._quota.used

    @property
    def over_limit(self) -> int:
        """Requests that came while none was left of the limit."""
        return self._quota.refused

    def spend_elsewhere(self, calls: int) -> None:
        """Other integrations of the org use up some of the daily limit."""
        self._quota.spend_elsewhere(calls)

    def limit_bulk_jobs(self, jobs: int) -> None:
        """So many bulk query jobs may be created in 24 hours."""
        self._quota.limit_jobs(jobs)

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
