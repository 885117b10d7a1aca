"""The HTTP side of bulk query jobs."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.salesforce.bulk_jobs import BulkJobs
from sandbox.salesforce.errors import ApiError, UnreadableBody

_PAGES_AT_ONCE = 5


class Guarded(Protocol):
    def __call__(
        self, kind: str, path: str, resource: Callable[[Request], str | Response], methods: Sequence[str] = ...
    ) -> Route: ...


class BulkRoutes:
    """The resources below /jobs/query. `guarded` puts session and quota before each."""

    def __init__(self, guarded: Guarded, jobs: BulkJobs) -> None:
        self._guarded = guarded
        self._jobs = jobs

    def routes(self, version: str) -> list[Route]:
        """The routes, below the path of an API version."""
        jobs, job = version + "/jobs/query", version + "/jobs/query/{job}"
        return [
            self._guarded("bulk_create", jobs, self._create, ("POST",)),
            self._guarded("bulk_list", jobs, self._list),
            self._guarded("bulk_poll", job, self._poll),
            self._guarded("bulk_abort", job, self._abort, ("PATCH",)),
            self._guarded("bulk_delete", job, self._delete, ("DELETE",)),
            self._guarded("bulk_results", job + "/results", self._results),
            self._guarded("bulk_pages", job + "/resultPages", self._pages),
        ]

    def _create(self, request: Request) -> str:
        return json.dumps(self._jobs.create(_version(request), _body(request)))

    def _list(self, _: Request) -> str:
        return json.dumps({"done": True, "records": self._jobs.listed(), "nextRecordsUrl": None})

    def _poll(self, request: Request) -> str:
        return json.dumps(self._jobs.poll(_version(request), _job(request)))

    def _abort(self, request: Request) -> str:
        return json.dumps(self._jobs.abort(_version(request), _job(request), _body(request)))

    def _delete(self, request: Request) -> Response:
        self._jobs.delete(_version(request), _job(request))
        return Response(status_code=204)

    def _results(self, request: Request) -> Response:
        locator, most = request.query_params.get("locator", ""), _most(request)
        got = self._jobs.download(_version(request), _job(request), locator, most)
        headers = {"Sforce-Locator": got.locator or "null", "Sforce-NumberOfRecords": str(got.count)}
        return Response(got.content, headers=headers, media_type="text/csv")

    def _pages(self, request: Request) -> str:
        """The addresses of the next pages, to be read in parallel."""
        version, job, most = _version(request), _job(request), _most(request)
        locator: str | None = request.query_params.get("locator", "")
        found: list[dict[str, str]] = []
        path = f"/services/data/v{version}/jobs/query/{job}"
        while locator is not None and len(found) < _PAGES_AT_ONCE:
            size = "" if most is None else f"&maxRecords={most}"
            found.append({"resultUrl": f"{path}/results?locator={locator}{size}"})
            locator = self._jobs.download(version, job, locator, most).locator
        more = None if locator is None else f"{path}/resultPages?locator={locator}"
        return json.dumps({"resultPages": found, "nextRecordsUrl": more, "done": locator is None})


def _version(request: Request) -> str:
    return str(request.path_params["version"])


def _job(request: Request) -> str:
    return str(request.path_params["job"])


def _most(request: Request) -> int | None:
    asked = request.query_params.get("maxRecords")
    if asked is not None and (not asked.isdecimal() or int(asked) < 1):
        raise ApiError(f"Invalid value for maxRecords: {asked}")
    return None if asked is None else int(asked)


def _body(request: Request) -> dict[str, Any]:
    try:
        said = json.loads(request.state.content)
    except ValueError:
        raise UnreadableBody from None
    if not isinstance(said, dict):
        raise UnreadableBody
    return said
