"""SuiteTalk over a loopback socket: tokens, SuiteQL, records, the catalogue, and SOAP (vendors.md B4, B6, B7)."""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.query_request import answer_query
from sandbox.netsuite.records import catalogue, record
from sandbox.netsuite.refusals import ConcurrencyRefused, LoginRefused, Refusal, ServerFault
from sandbox.netsuite.soap.definition import PORT_PATH, WSDL_PATH, description
from sandbox.netsuite.soap.refusals import SoapFault, blocked, unexpected
from sandbox.netsuite.soap.service import SoapService
from sandbox.netsuite.token_keys import PassportDesk, PassportRefused, TokenKeys
from sandbox.netsuite.tokens import GrantRefused, TokenDesk
from sandbox.serving import LoopbackServer

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
SUITEQL_PATH = "/services/rest/query/v1/suiteql"
RECORD_PATH = "/services/rest/record/v1"
HELD_AT_MOST_S = 60.0
_PAGE = "<html><body><h1>The service is not available.</h1></body></html>"

Answer = Callable[[Request, bytes], Response]


class NetSuiteServer:
    """One account served on 127.0.0.1. `token_url` is the `aud` that it demands of an assertion.

    `concurrency` is the account's pool: so many requests run at once, the next one is refused with 429. Token
    requests are outside the pool. `wall_clock` (real UTC unless given) judges assertions and tokens; the
    account's own clock does not. `requests` counts by kind: token, suiteql, record, catalogue, soap, wsdl, refused
    ones included; `token_refusals` says why each assertion or signature was refused, which the reply does not.
    `token_keys` turns token-based authentication on, for REST and for SOAP, whose switches are `soap`.
    """

    def __init__(
        self,
        account: NetSuiteAccount,
        *,
        client_id: str,
        certificate_id: str,
        public_key_pem: str,
        scope: str = "rest_webservices",
        concurrency: int = 5,
        port: int = 0,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        token_keys: TokenKeys | None = None,
    ) -> None:
        self.account = account
        self.most_in_flight = 0
        self.passports = PassportDesk(token_keys, account.account_id, wall_clock) if token_keys else None
        self.soap = SoapService(account, self.passports, wall_clock)
        self.requests: Counter[str] = Counter()
        self.concurrency_refusals = 0
        self.in_flight = 0
        self._flight_changed = threading.Condition()
        self.token_refusals: list[str] = []
        self._concurrency = concurrency
        self._faults: deque[int] = deque()
        self._open = threading.Event()
        self._open.set()
        self._server = LoopbackServer(self._application(), port, account.clock)
        self._desk = TokenDesk(
            client_id=client_id,
            certificate_id=certificate_id,
            public_key_pem=public_key_pem,
            scope=scope,
            audience=self.token_url,
            wall_clock=wall_clock,
        )

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def faults(self) -> Faults:
        """What goes wrong between the socket and this simulator."""
        return self._server.faults

    @property
    def token_url(self) -> str:
        return self.url + TOKEN_PATH

    def start(self) -> str:
        """Listen, and return the base URL."""
        return self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> "NetSuiteServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def revoke_tokens(self) -> None:
        """End every access token: the next request with one is answered 401."""
        self._desk.revoke_all()

    def fail_next(self, times: int, status: int = 500) -> None:
        """Answer the next `times` requests (token requests aside) with `status`: 500 has a JSON body with an
        Error ID, the gateway's 502, 503 and 504 an HTML page."""
        self._faults.extend([status] * times)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While inside, requests that were let in wait, a minute at most, and so fill the pool."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def wait_in_flight(self, count: int, deadline_s: float = 20.0) -> None:
        """Return once so many requests are inside. Raises TimeoutError when that does not come about."""
        with self._flight_changed:
            if not self._flight_changed.wait_for(lambda: self.in_flight == count, deadline_s):
                raise TimeoutError(f"{self.in_flight} requests are in flight, not {count}, after {deadline_s} s.")

    def _application(self) -> Starlette:
        return Starlette(
            routes=[
                Route(TOKEN_PATH, self._token, methods=["POST"]),
                Route(SUITEQL_PATH, self._pooled("suiteql", self._suiteql), methods=["POST"]),
                Route(RECORD_PATH + "/metadata-catalog/{kind}", self._pooled("catalogue", self._catalogue)),
                Route(RECORD_PATH + "/{kind}/{key}", self._pooled("record", self._record)),
                Route(PORT_PATH, self._envelope, methods=["POST"]),
                Route(WSDL_PATH + "/{name}", self._definition),
                Route(PORT_PATH, self._definition),
            ]
        )

    async def _token(self, request: Request) -> Response:
        self.requests["token"] += 1
        form = (await request.body()).decode(errors="replace")
        try:
            return JSONResponse(await run_in_threadpool(self._desk.grant, form))
        except GrantRefused as refusal:
            self.token_refusals.append(str(refusal))
            return JSONResponse({"error": refusal.error}, status_code=400)

    def _pooled(self, kind: str, answer: Answer) -> Callable[[Request], object]:
        """An endpoint inside the account's pool, for whoever has a token."""

        async def endpoint(request: Request) -> Response:
            self.requests[kind] += 1
            body = await request.body()
            try:
                self._admit(request)
            except Refusal as refusal:
                return JSONResponse(refusal.body(), refusal.status)
            if self._faults:
                return _fault(self._faults.popleft(), self.requests.total())
            self._fly(+1)
            try:
                return await run_in_threadpool(self._answered, answer, request, body)
            finally:
                self._fly(-1)

        return endpoint

    async def _envelope(self, request: Request) -> Response:
        """The SOAP endpoint, inside the same pool."""
        self.requests["soap"] += 1
        body = await request.body()
        if self._faults and self._faults[0] != 500:
            return _fault(self._faults.popleft(), self.requests.total())
        self._fly(+1)
        try:
            return await run_in_threadpool(self._enveloped, body)
        finally:
            self._fly(-1)

    def _enveloped(self, body: bytes) -> Response:
        try:
            self._open.wait(HELD_AT_MOST_S)
            reply, status = self.soap.answer(body, self._admit_envelope), 200
        except SoapFault as fault:
            reply, status = fault.envelope(), 500
        return Response(reply, status, media_type="text/xml")

    def _admit_envelope(self) -> None:
        """The request itself is in flight by now, so that it counts."""
        if self.in_flight > self._concurrency:
            self.concurrency_refusals += 1
            raise blocked()
        if self._faults:
            self._faults.popleft()
            raise unexpected(f"sandbox-{self.requests.total()}")

    async def _definition(self, request: Request) -> Response:
        """The web service's own description: `?wsdl` of the endpoint, or a file of its folder."""
        self.requests["wsdl"] += 1
        name = request.path_params.get("name") or ("" if "wsdl" in request.query_params else "none")
        text = description(name, self.url)
        return HTMLResponse(_PAGE, 404) if text is None else Response(text, media_type="text/xml")

    def _fly(self, change: int) -> None:
        with self._flight_changed:
            self.in_flight += change
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self._flight_changed.notify_all()

    def _admit(self, request: Request) -> None:
        if not self._lets_in(request):
            raise LoginRefused("Invalid login attempt.")
        if self.in_flight >= self._concurrency:
            self.concurrency_refusals += 1
            raise ConcurrencyRefused

    def _lets_in(self, request: Request) -> bool:
        said = request.headers.get("authorization", "")
        if self.passports is None or not said.lower().startswith("oauth "):
            return self._desk.accepts(said)
        try:
            self.passports.check_header(request.method, str(request.url), said)
        except PassportRefused as refused:
            self.token_refusals.append(str(refused))
            return False
        return True

    def _answered(self, answer: Answer, request: Request, body: bytes) -> Response:
        self._open.wait(HELD_AT_MOST_S)
        try:
            return answer(request, body)
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.status)

    def _suiteql(self, request: Request, body: bytes) -> Response:
        reply = answer_query(self.account, self.url + SUITEQL_PATH, request.headers, request.query_params, body)
        return JSONResponse(reply)

    def _catalogue(self, request: Request, _body: bytes) -> Response:
        schema = catalogue(self.account, request.path_params["kind"])
        return Response(json.dumps(schema), media_type="application/schema+json")

    def _record(self, request: Request, _body: bytes) -> Response:
        kind, key = request.path_params["kind"], request.path_params["key"]
        return JSONResponse(record(self.account, kind, key, f"{self.url}{RECORD_PATH}/{kind}/{key}"))


def _fault(status: int, request_number: int) -> Response:
    if status == 500:
        return JSONResponse(ServerFault(f"sandbox-{request_number}").body(), status)
    return HTMLResponse(_PAGE, status)
