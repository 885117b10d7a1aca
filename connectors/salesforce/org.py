"""The org as everything here asks it: logged in, repeated where that helps, logged in again where the session ended."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import requests

from connectors import telemetry
from connectors.contract import Record
from connectors.errors import LoginRefused, TransientError
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.door import Door, QueryTimeout, SessionEnded, session_through
from connectors.salesforce.login import Client, logged_in
from connectors.salesforce.soql import PAGE, Select
from connectors.salesforce.usage import usage_of

_HEADERS = {"Sforce-Query-Options": f"batchSize={PAGE}", "X-PrettyPrint": "0"}

R = TypeVar("R")


class Org:
    """One org behind one door. Logs in at the first call."""

    def __init__(self, config: SalesforceConfig, clock: Callable[[], datetime]) -> None:
        self.system = config.system
        self._config = config
        usage = usage_of(config.base_url, config.system, config.daily_share, clock)
        self._door = Door(config.system, config.base_url, config.timeout_s, clock, usage)
        self._session = session_through(self._door)
        self._client: Client | None = None

    def source_time(self) -> datetime:
        """The org's clock, UTC; the first time, after an answer of the org has told it."""
        if self._client is None:
            self.call(lambda client: client.sf_version)
        return self._door.source_time()

    def call(self, work: Callable[[Client], R], *, timeouts: bool = False) -> R:
        """What `work` gives. A query that takes too long raises QueryTimeout at once where `timeouts`, for somebody who
        then asks for less; else it is repeated as everything transient is."""
        return self._config.retries.call(lambda: self._once(work, timeouts), self.system)

    def page(self, select: Select, soql: str, *, timeouts: bool = False) -> tuple[Sequence[Record], bool]:
        """The records, and whether they are the last: a reply may hold fewer than asked for without being it."""
        ended = False

        def ask(client: Client) -> Sequence[Record]:
            nonlocal ended
            reply = client.query(soql, include_deleted=select.deleted, headers=dict(_HEADERS))
            records: list[Record] = reply["records"]
            if not records and not reply["done"]:
                raise TransientError(
                    f"{self.system} sent a page of {select.name} without records, with others to follow."
                )
            if reply["done"] and reply.get("totalSize", len(records)) != len(records):
                raise TransientError(f"{self.system} answered a query of {select.name} with something else.")
            select.check(records, self.system)
            ended = reply["done"] and len(records) < PAGE
            return records

        records = telemetry.page(self.system, select.name, lambda: self.call(ask, timeouts=timeouts))
        return records, ended

    def send(
        self,
        client: Client,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> requests.Response:
        """A request below /services/data/vXX.0/ that the library has no method for; its response."""
        headers = {**client.headers, "Accept": accept, "X-PrettyPrint": "0"}
        data = None if body is None else json.dumps(body)
        return client.session.request(method, client.base_url + path, headers=headers, data=data, params=params)

    def close(self) -> None:
        self._session.close()

    def _once(self, work: Callable[[Client], R], timeouts: bool) -> R:
        try:
            return self._renewed(work)
        except QueryTimeout as error:
            if timeouts:
                raise
            raise TransientError(str(error)) from error

    def _renewed(self, work: Callable[[Client], R]) -> R:
        """Run a call; when the session has ended, log in again and run it once more."""
        try:
            return self._run(work)
        except SessionEnded:
            self._client = None
        try:
            return self._run(work)
        except SessionEnded as error:
            raise LoginRefused(f"{self.system} refuses a new session as well. {error}") from error

    def _run(self, work: Callable[[Client], R]) -> R:
        if self._client is None:
            self._client = logged_in(self._config, self._session, self._door.source_time())
        try:
            return work(self._client)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise TransientError(f"{self.system} sent a reply that is not JSON, or not all of it.") from error
