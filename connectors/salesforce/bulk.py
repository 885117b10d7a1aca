"""Bulk API 2.0 query jobs: one job gives a whole object in a few downloads (vendors.md A5).

    create -> poll until JobComplete -> download page by page -> compare the count -> delete

Every page's rows are counted against its header, and all of them against numberRecordsProcessed before the last page
is handed over: a job whose counts differ is thrown away, and the object begins anew. A page's position names the job
and the next locator, which stays good while the job exists (7 days); a job that is gone begins anew as well.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors import telemetry
from connectors.contract import Page, Position, Record
from connectors.errors import ConnectorError, PermanentError, TransientError
from connectors.salesforce.bulk_position import BulkPosition
from connectors.salesforce.bulk_rows import BulkRows
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.door import JobGone
from connectors.salesforce.login import Client
from connectors.salesforce.org import Org
from connectors.salesforce.soql import Select

log = logging.getLogger(__name__)

JOBS = "jobs/query"
FIRST_POLL_S, LONGEST_POLL_S = 1.0, 30.0
_OVER = frozenset({"JobComplete", "Failed", "Aborted"})


class NoBulk(PermanentError):
    """The org does not run a bulk job for this query, or not to its end: REST has to do."""


@dataclass(frozen=True)
class _Download:
    records: Sequence[Record]
    locator: str


class BulkLoad:
    """Loads one select by jobs. `types` are those of its fields, in their order."""

    def __init__(self, org: Org, config: SalesforceConfig, select: Select, types: Mapping[str, str]) -> None:
        self._org = org
        self._config = config
        self._select = select
        self._rows = BulkRows(org.system, types)

    def _begun(self) -> Iterator[Page]:
        """A new job from its beginning. Its position comes at once, without records: who is interrupted while the org
        works on it goes on in the same job."""
        at = self._start()
        if self._select.stamp:
            yield Page((), at.within())
        yield from self._job(at)

    def _start(self) -> BulkPosition:
        """A new job. Raises NoBulk where the org refuses it: REST then reads the object, or says what is wrong."""
        created_at = self._org.source_time()
        said = {
            "operation": "query",
            "query": self._select.everything(),
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            job = self._org.call(lambda client: self._org.send(client, "POST", JOBS, body=said).json()["id"])
        except PermanentError as error:
            raise NoBulk(str(error)) from error
        return BulkPosition(str(job), created_at.isoformat())

    def pages(self, at: BulkPosition | None) -> Iterator[Page]:
        """The rest of a job, or a new one, and another one where it is gone. Raises TransientError, NoBulk."""
        try:
            yield from self._job(at) if at else self._begun()
            return
        except JobGone as gone:
            log.warning("%s forgot a bulk job of %s, which begins anew. %s", self._org.system, self._select.name, gone)
        try:
            yield from self._begun()
        except JobGone as gone:
            raise TransientError(f"{self._org.system} forgot two bulk jobs of {self._select.name}. {gone}") from gone

    def _job(self, at: BulkPosition) -> Iterator[Page]:
        try:
            total = self._done(at.job)
            while True:
                got = self._download(at)
                at = at.after(self._select, list(got.records), got.locator)
                if not got.locator:
                    break
                yield Page(got.records, self._kept(at))
            self._compare(at.handed, total)
        except _Worthless as error:
            self._delete(at.job)
            raise TransientError(str(error)) from error
        yield Page(got.records, at.beyond() if self._select.stamp else None)
        self._delete(at.job)

    def _kept(self, at: BulkPosition) -> Position | None:
        return at.within() if self._select.stamp else None

    def _done(self, job: str) -> int:
        """How many records a job has found, once it is over."""
        waited, pause = 0.0, FIRST_POLL_S
        while (said := self._state(job))["state"] not in _OVER:
            if waited >= self._config.bulk_wait_s:
                raise self._waited_out(job, waited)
            self._config.retries.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_POLL_S)
        if said["state"] == "Aborted":
            raise _Worthless(f"{self._about(job)} was aborted by somebody. It begins anew at the next poll.")
        if said["state"] == "Failed":
            self._delete(job)
            why = " ".join(str(said.get("errorMessage") or "no reason is given").split())[:400]
            raise NoBulk(f"{self._about(job)} failed: {why}")
        return int(said["numberRecordsProcessed"])

    def _waited_out(self, job: str, waited: float) -> Exception:
        """The job goes on, where a position can find it at the next poll; else it is aborted."""
        late = f"{self._about(job)} was not done after {waited:,.0f} seconds"
        if self._select.stamp:
            return TransientError(f"{late}. The next poll looks for it.")
        self._abort(job)
        return _Worthless(f"{late}, and was aborted. Raise bulk_wait_s.")

    def _state(self, job: str) -> dict[str, Any]:
        def ask(client: Client) -> dict[str, Any]:
            said: dict[str, Any] = self._org.send(client, "GET", f"{JOBS}/{job}").json()
            return {**said, "state": str(said["state"])}

        return self._org.call(ask)

    def _download(self, at: BulkPosition) -> _Download:
        params = {"maxRecords": str(self._config.bulk_page)} | ({"locator": at.locator} if at.locator else {})
        got = _Download((), "")

        def ask(client: Client) -> Sequence[Record]:
            nonlocal got
            path = f"{JOBS}/{at.job}/results"
            answer = self._org.send(client, "GET", path, params=params, accept="text/csv")
            # The last page says so with the word null.
            locator = answer.headers["Sforce-Locator"].removesuffix("null")
            if locator and locator == at.locator:
                raise TransientError(f"{self._about(at.job)} did not advance past the locator {locator}.")
            count = int(answer.headers["Sforce-NumberOfRecords"])
            got = _Download(self._rows.records(answer.content, count), locator)
            return got.records

        telemetry.page(self._org.system, self._select.name, lambda: self._org.call(ask))
        return got

    def _compare(self, handed: int, total: int) -> None:
        if handed != total:
            raise _Worthless(
                f"{self._org.system} gave {handed:,} rows of {self._select.name} in a bulk job that found {total:,}. "
                "The job is thrown away, and the object begins anew at the next poll."
            )

    def _abort(self, job: str) -> None:
        self._quietly(lambda client: self._org.send(client, "PATCH", f"{JOBS}/{job}", body={"state": "Aborted"}))

    def _delete(self, job: str) -> None:
        self._quietly(lambda client: self._org.send(client, "DELETE", f"{JOBS}/{job}"))

    def _quietly(self, work: Callable[[Client], object]) -> None:
        """Tidy up. Salesforce does it by itself after seven days, so that a failure is no harm."""
        try:
            self._org.call(work)
        except ConnectorError as error:
            log.info("A bulk job of %s was left to itself: %s", self._select.name, error)

    def _about(self, job: str) -> str:
        return f"The bulk job {job} of {self._select.name} at {self._org.system}"


class _Worthless(Exception):
    """The job gives nothing that can be taken."""
