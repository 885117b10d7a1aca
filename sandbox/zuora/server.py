"""The Zuora REST API of a tenant on a loopback port."""

from collections import Counter, deque
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.serving import LoopbackServer
from sandbox.zuora.calls import Answer, Call, json_answer
from sandbox.zuora.errors import (
    AUTHENTICATION,
    FAULT_KEYS,
    FAULT_STATUS,
    LOCKED,
    BadRequest,
    Fault,
    Refusal,
    Rejection,
    Unauthorized,
)
from sandbox.zuora.idempotency import Idempotency
from sandbox.zuora.ids import make_id
from sandbox.zuora.invoices import Invoices
from sandbox.zuora.objectquery import ObjectQueries
from sandbox.zuora.queries import MAX_PAGE, Descriptions, Queries
from sandbox.zuora.runs import Runs
from sandbox.zuora.tenant import ZuoraTenant
from sandbox.zuora.tokens import Tokens
from sandbox.zuora.turnstile import TOKEN_PATH, Turnstile
from sandbox.zuora.wire import Json

Handler = Callable[[Call], Answer]


class ZuoraServer:
    """Start it, or use it as a context manager; `url` is its address. Paths are Zuora's own.

    `page_size` is the most records that one ZOQL page holds. `per_minute` is the limit on requests in a
    minute of the tenant's clock, tokens aside; `at_once` the one on requests that run at the same time; the
    defaults are a production tenant's. `fault_keys` name the code and the message in a ZOQL fault, of which
    the vendor's pages do not show the spelling.
    """

    def __init__(
        self,
        tenant: ZuoraTenant,
        *,
        client_id: str,
        client_secret: str,
        page_size: int = MAX_PAGE,
        port: int = 0,
        per_minute: int = 50_000,
        at_once: int = 40,
        fault_keys: tuple[str, str] = FAULT_KEYS,
    ) -> None:
        self._tenant = tenant
        self._fault_keys = fault_keys
        self._tokens = Tokens(client_id, client_secret, tenant.clock)
        self._idempotency = Idempotency(tenant.clock)
        self._queries = Queries(tenant, page_size)
        self._failures: deque[int] = deque()
        app = Starlette(routes=self._routes())
        self._turnstile = Turnstile(app, tenant.clock, per_minute, at_once)
        self._server = LoopbackServer(self._turnstile, port, tenant.clock)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def faults(self) -> Faults:
        """What goes wrong between the socket and this simulator."""
        return self._server.faults

    @property
    def requests(self) -> Counter[str]:
        """How often each "METHOD /path" came, refused ones included; `.total()` for all."""
        return Counter(self._turnstile.came)

    @property
    def over_limit(self) -> int:
        """How many requests came while a limit was reached: too many in the minute, or too many at once."""
        return self._turnstile.over_limit

    def start(self) -> str:
        return self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> "ZuoraServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def revoke_tokens(self) -> None:
        """Every token is invalid from now on."""
        self._tokens.revoke()

    def fail_next(self, category: int = LOCKED, times: int = 1) -> None:
        """The next requests with a valid token get HTTP 200 with success:false, and nothing is done.

        `category` is the last two digits of the code: 50 is a lock, 60 and 61 are limits, 40 an unknown record.
        """
        with self._tenant.lock:
            self._failures.extend([category] * times)

    def forget_locators(self) -> None:
        """Every query locator that was given out is an INVALID_QUERY_LOCATOR from now on."""
        with self._tenant.lock:
            self._queries.forget()

    def set_maintenance(self, on: bool) -> None:
        """While on, every request gets a 503 page in HTML."""
        self._turnstile.under_maintenance = on

    def _routes(self) -> list[Route]:
        queries, descriptions = self._queries, Descriptions(self._tenant)
        invoices, runs, lists = Invoices(self._tenant), Runs(self._tenant), ObjectQueries(self._tenant)
        table: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "/v1/action/query", queries.query),
            ("POST", "/v1/action/queryMore", queries.query_more),
            ("GET", "/v1/describe", descriptions.all_objects),
            ("GET", "/v1/describe/{object}", descriptions.one_object),
            ("GET", "/v1/invoices/{key}", invoices.retrieve),
            ("DELETE", "/v1/invoices/{key}", invoices.delete),
            ("GET", "/v1/invoices/{key}/items", invoices.items),
            ("POST", "/v1/bill-runs", runs.create),
            ("GET", "/v1/bill-runs/{key}", runs.retrieve),
            ("DELETE", "/v1/bill-runs/{key}", runs.delete),
            ("PUT", "/v1/bill-runs/{key}/post", runs.post),
            ("PUT", "/v1/bill-runs/{key}/cancel", runs.cancel),
            ("GET", "/object-query/{objects}", lists.list),
        )
        routes = [Route(path, self._endpoint(handler), methods=[method]) for method, path, handler in table]
        return [*routes, Route(TOKEN_PATH, _endpoint(self._tokens.issue), methods=["POST"])]

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        return _endpoint(lambda call: self._answer(handler, call))

    def _answer(self, handler: Handler, call: Call) -> Answer:
        try:
            self._tokens.check(call)
            return self._idempotency.run(call, lambda call: self._settled(handler, call))
        except Refusal as refusal:
            return self._refused(refusal, call)

    def _settled(self, handler: Handler, call: Call) -> Answer:
        with self._tenant.lock:
            self._tenant.settle()
            try:
                if self._failures:
                    raise Rejection(self._failures.popleft(), "The operation failed; the simulator was told so.")
                return handler(call)
            except Refusal as refusal:
                return self._refused(refusal, call)

    def _refused(self, refusal: Refusal, call: Call) -> Answer:
        if isinstance(refusal, Fault):
            code, message = self._fault_keys
            return json_answer({code: refusal.code, message: str(refusal)}, FAULT_STATUS)
        if isinstance(refusal, Rejection):
            return json_answer(self._failure(refusal.code, str(refusal)), 200)
        if isinstance(refusal, Unauthorized):
            return self._unauthorized(str(refusal), call)
        if isinstance(refusal, BadRequest):
            return json_answer(self._failure(refusal.code, str(refusal)), 400)
        raise refusal

    def _unauthorized(self, message: str, call: Call) -> Answer:
        if call.path.startswith("/v1/") and not call.path.startswith("/v1/action/"):
            return json_answer(self._failure(90000000 + AUTHENTICATION, message), 401)
        return json_answer({"message": message}, 401)

    def _failure(self, code: int, message: str) -> dict[str, Json]:
        process = make_id("Process", self._turnstile.came.total())[:16].upper()
        return {
            "success": False,
            "processId": process,
            "reasons": [{"code": code, "message": message}],
        }


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        call = Call(
            method=request.method,
            path=request.url.path,
            base_url=str(request.base_url).rstrip("/"),
            keys=request.path_params,
            query=request.query_params.multi_items(),
            headers=dict(request.headers),
            body=body,
        )
        answer = await run_in_threadpool(handler, call)
        return Response(answer.body, answer.status, dict(answer.headers), media_type=answer.media_type)

    return endpoint
