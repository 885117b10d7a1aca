"""The HTTP side of the org: routes, sessions, quota, counting, and one way to refuse."""

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.salesforce.bulk_jobs import BulkJobs
from sandbox.salesforce.bulk_routes import BulkRoutes
from sandbox.salesforce.errors import ApiError, MethodNotAllowed, NotFound
from sandbox.salesforce.jwt_bearer import LoginRefused
from sandbox.salesforce.quota import Quota
from sandbox.salesforce.resources import NEWEST_VERSION, OLDEST_VERSION, Resources
from sandbox.salesforce.sessions import Sessions

LEAST_BATCH, MOST_BATCH = 200, 2_000

_JSON = "application/json;charset=UTF-8"
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)")
_UNAVAILABLE = "<html><head><title>Error Page</title></head><body>Service Unavailable</body></html>"
_DATA = "/services/data"

Resource = Callable[[Request], str | Response]


@dataclass(frozen=True)
class Fault:
    """An answer given instead of the real one: a JSON error where it has a code, else an HTML page."""

    status: int
    code: str | None

    def response(self) -> Response:
        if self.code is None:
            return Response(_UNAVAILABLE, self.status, media_type="text/html")
        return _refusal(self.status, self.code, "injected fault")


class Front:
    """Everything between the socket and the resources. `url` gives what the token reply calls instance_url."""

    def __init__(
        self,
        resources: Resources,
        jobs: BulkJobs,
        sessions: Sessions,
        quota: Quota,
        page_size: int,
        url: Callable[[], str],
    ) -> None:
        self._resources = resources
        self._jobs = jobs
        self._sessions = sessions
        self._quota = quota
        self._page_size = page_size
        self._url = url
        self._counts: Counter[str] = Counter()
        self._faults: deque[Fault] = deque()
        self._lock = Lock()

    def counts(self) -> Counter[str]:
        """Requests so far by kind of path."""
        with self._lock:
            return Counter(self._counts)

    def fail_next(self, times: int, status: int, code: str | None) -> None:
        with self._lock:
            self._faults.extend([Fault(status, code)] * times)

    def app(self) -> ASGIApp:
        handlers: Any = {HTTPException: _unrouted}
        return _WithoutTrailingSlash(Starlette(routes=self._routes(), exception_handlers=handlers))

    def _routes(self) -> list[Route]:
        version = _DATA + "/v{version}"
        return [
            Route("/services/oauth2/token", self._token, methods=["POST"]),
            Route(_DATA, self._versions),
            self.guarded("query", version + "/query", self._query),
            self.guarded("query", version + "/queryAll", self._query_all),
            self.guarded("query_more", version + "/query/{locator}", self._query_more),
            self.guarded("query_more", version + "/queryAll/{locator}", self._query_more),
            self.guarded("sobjects", version + "/sobjects", self._sobjects),
            self.guarded("describe", version + "/sobjects/{name}/describe", self._describe),
            self.guarded("deleted", version + "/sobjects/{name}/deleted", self._deleted),
            self.guarded("updated", version + "/sobjects/{name}/updated", self._updated),
            self.guarded("retrieve", version + "/sobjects/{name}/{record_id}", self._retrieve),
            self.guarded("limits", version + "/limits", self._limits),
            self.guarded("record_count", version + "/limits/recordCount", self._record_count),
            *BulkRoutes(self.guarded, self._jobs).routes(version),
            self.guarded("other", _DATA + "/{rest:path}", _nothing_there),
        ]

    def guarded(self, kind: str, path: str, resource: Resource, methods: Sequence[str] = ("GET",)) -> Route:
        """A route that counts the request, asks for a session and spends quota before it answers."""

        async def endpoint(request: Request) -> Response:
            body = await request.body()
            request.state.content = body
            response = await run_in_threadpool(lambda: self._begin(kind) or self._answer(request, resource))
            response.headers["Sforce-Limit-Info"] = self._quota.header()
            return response

        return Route(path, endpoint, methods=list(methods))

    def _answer(self, request: Request, resource: Resource) -> Response:
        try:
            self._sessions.check(request.headers.get("authorization", ""))
            self._quota.spend()
            _check_version(request.path_params.get("version"))
            said = resource(request)
            return said if isinstance(said, Response) else Response(said, media_type=_JSON)
        except ApiError as error:
            return _refusal(error.status, error.code, error.message)

    def _begin(self, kind: str) -> Response | None:
        """Count the request; the fault that waits for it, if any."""
        with self._lock:
            self._counts[kind] += 1
            return self._faults.popleft().response() if self._faults else None

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        fault = self._begin("token")
        if fault:
            return fault
        try:
            reply = self._sessions.open(form, request.headers.get("authorization", ""), self._url())
        except LoginRefused as refused:
            return JSONResponse({"error": refused.error, "error_description": str(refused)}, 400)
        return JSONResponse(reply)

    def _versions(self, _: Request) -> Response:
        return self._begin("versions") or Response(self._resources.versions(), media_type=_JSON)

    def _query(self, request: Request) -> str:
        soql = request.query_params.get("q", "")
        return self._resources.query(_version(request), soql, self._batch(request), with_deleted=False)

    def _query_all(self, request: Request) -> str:
        soql = request.query_params.get("q", "")
        return self._resources.query(_version(request), soql, self._batch(request), with_deleted=True)

    def _query_more(self, request: Request) -> str:
        return self._resources.query_more(_version(request), request.path_params["locator"])

    def _sobjects(self, request: Request) -> str:
        return self._resources.sobjects(_version(request))

    def _describe(self, request: Request) -> str:
        return self._resources.describe(_version(request), request.path_params["name"])

    def _retrieve(self, request: Request) -> str:
        params = request.path_params
        return self._resources.retrieve(_version(request), params["name"], params["record_id"])

    def _deleted(self, request: Request) -> str:
        window = request.query_params
        return self._resources.deleted(request.path_params["name"], window.get("start", ""), window.get("end", ""))

    def _updated(self, request: Request) -> str:
        window = request.query_params
        return self._resources.updated(request.path_params["name"], window.get("start", ""), window.get("end", ""))

    def _limits(self, _: Request) -> str:
        return self._resources.limits()

    def _record_count(self, request: Request) -> str:
        return self._resources.record_count(request.query_params.get("sObjects", ""))

    def _batch(self, request: Request) -> int:
        """The batch size asked for, held to what Salesforce allows and to the page size of this server."""
        asked = _BATCH_SIZE.search(request.headers.get("sforce-query-options", ""))
        if asked is None:
            return self._page_size
        return min(max(int(asked[1]), LEAST_BATCH), MOST_BATCH, self._page_size)


class _WithoutTrailingSlash:
    """Answers `/query/` as `/query`, as Salesforce does; a redirect would lose the caller's headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self._app(scope, receive, send)


def _version(request: Request) -> str:
    return str(request.path_params["version"])


def _check_version(version: str | None) -> None:
    number, _, minor = (version or "").partition(".")
    if not number.isdecimal() or minor != "0" or not OLDEST_VERSION <= int(number) <= NEWEST_VERSION:
        raise NotFound


def _nothing_there(_: Request) -> str:
    raise NotFound


def _unrouted(request: Request, error: HTTPException) -> Response:
    refused = MethodNotAllowed(request.method) if error.status_code == 405 else NotFound()
    return _refusal(refused.status, refused.code, refused.message)


def _refusal(status: int, code: str, message: str) -> Response:
    return Response(json.dumps([{"message": message, "errorCode": code, "fields": []}]), status, media_type=_JSON)
