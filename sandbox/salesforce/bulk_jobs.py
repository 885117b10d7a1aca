"""Bulk API 2.0 query jobs: they advance as they are polled, and their results stay while they exist (vendors.md A5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any

from sandbox.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS, csv_of
from sandbox.salesforce.errors import ApiError, InvalidJob, InvalidJobState, NotFound, SoqlError, VersionConflict
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.org import SalesforceOrg
from sandbox.salesforce.quota import Quota
from sandbox.salesforce.sessions import USER_ID
from sandbox.salesforce.soql_parser import parse
from sandbox.salesforce.soql_query import Result, answer
from sandbox.salesforce.wire import instant_text

LIFETIME = timedelta(days=7)
_CREATED, _RUNNING, _DONE, _FAILED, _ABORTED = "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"
_OVER = (_DONE, _FAILED, _ABORTED)
_KNOWN = {"operation", "query", "contentType", "columnDelimiter", "lineEnding"}


@dataclass
class Job:
    """One query job. `left` is how many polls it still answers with InProgress."""

    id: str
    operation: str
    query: str
    object: str
    delimiter: str
    line_ending: str
    version: str
    created: datetime
    left: int
    state: str = _CREATED
    error: str = ""
    result: Result | None = None


@dataclass(frozen=True)
class Download:
    """One page of results. `locator` is None on the last one."""

    content: bytes
    locator: str | None
    count: int


class BulkJobs:
    """The jobs of one org. `polls` is how many polls a job answers with InProgress before it is done.

    On demand: `fail_next` and `miscount_next` for jobs that are created from then on, `abort_all` and `forget_all` for
    those that are there, and `null_bytes` for every download.
    """

    def __init__(self, org: SalesforceOrg, quota: Quota, clock: Callable[[], datetime]) -> None:
        self.polls = 1
        self.null_bytes = False
        self._org = org
        self._quota = quota
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._numbers = count(1)
        self._lock = Lock()
        self._failures: list[str] = []
        self._miscounts: dict[str, int] = {}
        self._miscount = 0

    def fail_next(self, message: str) -> None:
        """The next job that is created ends as Failed, with this errorMessage."""
        self._failures.append(message)

    def miscount_next(self, by: int) -> None:
        """The next job that is created says that it processed so many records more than it gives."""
        self._miscount = by

    def abort_all(self) -> None:
        """An administrator aborts every job."""
        with self._lock:
            for job in self._jobs.values():
                job.state = _ABORTED

    def forget_all(self) -> None:
        """Every job is gone."""
        with self._lock:
            self._jobs.clear()

    def ids(self) -> list[str]:
        """The jobs that are there."""
        with self._lock:
            return list(self._jobs)

    def create(self, version: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Take a job. InvalidJob, or what is wrong with its query."""
        operation, query, delimiter, line_ending = _read(said)
        self._checked(query, operation)
        self._quota.spend_job()
        with self._lock:
            job = Job(
                make_id("750", next(self._numbers)),
                operation,
                query,
                parse(query).source,
                delimiter,
                line_ending,
                version,
                self._clock(),
                self.polls,
            )
            job.error = self._failures.pop(0) if self._failures else ""
            self._miscounts[job.id], self._miscount = self._miscount, 0
            self._jobs[job.id] = job
            return _shown(job)

    def poll(self, version: str, job_id: str) -> dict[str, Any]:
        """The job as it stands, after it has got a step further."""
        with self._lock:
            job = self._job(version, job_id)
            self._advance(job)
            return self._described(job)

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [_shown(job) for job in self._jobs.values()]

    def abort(self, version: str, job_id: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """InvalidJobState for a job that is over; InvalidJob for any state but Aborted."""
        with self._lock:
            job = self._job(version, job_id)
            if said.get("state") != _ABORTED:
                raise InvalidJob("The only state that a query job can be given is Aborted")
            if job.state in _OVER:
                raise InvalidJobState(f"Aborting already {job.state} Job not allowed")
            job.state = _ABORTED
            return _shown(job)

    def delete(self, version: str, job_id: str) -> None:
        with self._lock:
            job = self._job(version, job_id)
            if job.state not in _OVER:
                raise InvalidJobState(f"Deletion of a job in the state {job.state} is not allowed")
            del self._jobs[job_id]

    def download(self, version: str, job_id: str, locator: str, most: int | None) -> Download:
        """The page at a locator, which can be read again and again while the job exists."""
        with self._lock:
            job = self._job(version, job_id)
            if job.state != _DONE or job.result is None:
                raise InvalidJobState(f"Results are not available for a job in the state {job.state}")
            rows = job.result.rows
        offset = _offset(locator, len(rows))
        page = rows[offset : len(rows) if most is None else offset + most]
        after = offset + len(page)
        delimiter, ending = DELIMITERS[job.delimiter], LINE_ENDINGS[job.line_ending]
        content = csv_of(job.result.columns, page, delimiter, ending, null_bytes=self.null_bytes)
        return Download(content, _locator(after) if after < len(rows) else None, len(page))

    def _checked(self, query: str, operation: str) -> None:
        """InvalidJob for what bulk does not do although SOQL can; SoqlError for what is no query."""
        result = self._run(query, operation)
        if not result.columns or parse(query).offset:
            raise InvalidJob("Aggregate queries and OFFSET are not supported in Bulk Query")
        if any(column.field.type == "base64" for column in result.columns):
            raise InvalidJob("Selecting base64 data is not supported in Bulk Query")

    def _run(self, query: str, operation: str) -> Result:
        return answer(query, self._org.view(), self._org.now(), operation == "queryAll")

    def _advance(self, job: Job) -> None:
        if job.state == _CREATED:
            job.state = _RUNNING
            self._start(job)
        if job.state == _RUNNING and job.left <= 0:
            job.state = _FAILED if job.error else _DONE
        job.left -= 1

    def _start(self, job: Job) -> None:
        """Read the org as it is now: some time after the job was created."""
        try:
            job.result = self._run(job.query, job.operation)
        except SoqlError as error:
            job.error = job.error or f"{error.code}: {error.sentence}"

    def _described(self, job: Job) -> dict[str, Any]:
        processed = len(job.result.rows) + self._miscounts[job.id] if job.state == _DONE and job.result else 0
        more = {"errorMessage": job.error} if job.state == _FAILED else {}
        return {
            **_shown(job),
            "jobType": "V2Query",
            "numberRecordsProcessed": processed,
            "retries": 0,
            "totalProcessingTime": 40,
            **more,
        }

    def _job(self, version: str, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None or self._clock() - job.created > LIFETIME:
            raise NotFound
        if job.version != version:
            raise VersionConflict(f"The job was created with version {job.version}, not {version}")
        return job


def _read(said: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Operation, query, delimiter and line ending. InvalidJob for anything else than there is."""
    unknown = sorted(set(said) - _KNOWN)
    if unknown:
        raise InvalidJob(f"Unrecognized field '{unknown[0]}'")
    operation, query = said.get("operation"), said.get("query")
    if operation not in ("query", "queryAll") or not isinstance(query, str) or not query.strip():
        raise InvalidJob("A query job needs the operation query or queryAll, and a query")
    delimiter, ending = said.get("columnDelimiter", "COMMA"), said.get("lineEnding", "LF")
    if delimiter not in DELIMITERS or ending not in LINE_ENDINGS or said.get("contentType", "CSV") != "CSV":
        raise InvalidJob("The contentType, columnDelimiter or lineEnding is none that there is")
    return str(operation), query, str(delimiter), str(ending)


def _shown(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": USER_ID,
        "createdDate": instant_text(job.created),
        "systemModstamp": instant_text(job.created),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.version),
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }


def _locator(offset: int) -> str:
    return f"MTA{offset:x}"


def _offset(locator: str, rows: int) -> int:
    """Where a locator points; ApiError for one that the job never gave."""
    if not locator:
        return 0
    try:
        offset = int(locator.removeprefix("MTA"), 16)
    except ValueError:
        offset = -1
    if not locator.startswith("MTA") or not 0 < offset < rows:
        raise ApiError(f"Invalid value for the locator: {locator}")
    return offset
