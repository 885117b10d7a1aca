"""The Stripe API of an account on a loopback port."""

from collections.abc import Sequence
from typing import Self

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.serving import LoopbackServer
from sandbox.stripe.account import Object, StripeAccount
from sandbox.stripe.api import Call, Endpoints
from sandbox.stripe.errors import Refusal
from sandbox.stripe.keys import ApiKeys
from sandbox.stripe.limits import Idempotency, RateLimit
from sandbox.stripe.params import decoded
from sandbox.stripe.shapes import Version
from sandbox.stripe.webhooks import deliver
from sandbox.zuora.wire import encode

_FORM = "application/x-www-form-urlencoded"


class StripeServer:
    """Start it, or use it as a context manager; `url` is its address. Paths are Stripe's own.

    `per_s` is the limit on requests in a second of real time; a live account's by default. `keys` takes rights away.
    """

    def __init__(self, account: StripeAccount, *, api_key: str, port: int = 0, per_s: int = 100) -> None:
        self.account = account
        self.keys = ApiKeys(api_key)
        self.endpoints = Endpoints(account, self.keys)
        self._limit = RateLimit(per_s)
        self._idempotency = Idempotency(account.clock)
        routes = [Route("/{path:path}", self._endpoint, methods=["GET", "POST", "DELETE", "PUT", "PATCH"])]
        self._server = LoopbackServer(Starlette(routes=routes), port, account.clock)
        self._requests = 0

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def faults(self) -> Faults:
        """What goes wrong between the socket and this simulator."""
        return self._server.faults

    @property
    def over_limit(self) -> int:
        """How many requests came while the limit was reached."""
        return self._limit.over

    def start(self) -> str:
        return self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def post_event(self, event: str, url: str, secrets: Sequence[str]) -> int:
        """Send an event of the account to an endpoint, signed now; returns the status of the answer."""
        found = self.account.get("event", event)
        if found is None:
            raise KeyError(event)
        return deliver(found, url, secrets, self.account.now())

    async def _endpoint(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        self._requests += 1
        headers = {"request-id": f"req_{self._requests:014d}"}
        try:
            self._limit.take()
            status, answer = await run_in_threadpool(self._answer, request, body)
        except Refusal as refusal:
            status, answer = _refused(refusal)
            headers |= refusal.headers
        return Response(answer, status, headers, media_type="application/json")

    def _answer(self, request: Request, body: bytes) -> tuple[int, bytes]:
        self.keys.check(request.headers.get("authorization", ""))
        key = request.headers.get("idempotency-key")
        if key is None or request.method != "POST":
            return 200, _encoded(self.endpoints.answer(self._call(request, body)))
        with self.account.lock:
            kept = self._idempotency.recall(key, (request.method, request.url.path, body.decode(errors="replace")))
            if kept is None:
                kept = self._tried(request, body)
                self._idempotency.keep(key, kept)
            return kept

    def _tried(self, request: Request, body: bytes) -> tuple[int, bytes]:
        """The answer, a refusal as well: it is what a repeated request gets."""
        try:
            return 200, _encoded(self.endpoints.answer(self._call(request, body)))
        except Refusal as refusal:
            return _refused(refusal)

    def _call(self, request: Request, body: bytes) -> Call:
        named = request.headers.get("stripe-version")
        version = Version.of(named) if named else self.account.version
        if request.method != "POST":
            return Call(request.method, request.url.path, decoded(request.url.query), version)
        if body and request.headers.get("content-type", _FORM).partition(";")[0] != _FORM:
            raise Refusal(400, f"Invalid request (check that your POST content type is {_FORM}).")
        return Call("POST", request.url.path, decoded(body.decode(errors="replace")), version)


def _refused(refusal: Refusal) -> tuple[int, bytes]:
    return refusal.status, _encoded(refusal.body)


def _encoded(answer: Object) -> bytes:
    return encode(answer).encode()
