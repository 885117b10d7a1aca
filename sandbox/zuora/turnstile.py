"""What every request passes before the endpoints: counting, limits, and the headers of every answer."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.zuora.calls import Answer, json_answer
from sandbox.zuora.ids import make_id
from sandbox.zuora.quota import RequestQuota, Standing

TOKEN_PATH = "/oauth/token"
# Token requests are a class of their own and outside the limit on concurrency.
TOKENS_PER_MINUTE = 2000
CONCURRENCY_TYPE = "default"

_TOO_MANY = "Your total number of requests in a minute exceeds the limit; wait for the reset."
_TOO_MANY_AT_ONCE = (
    "Your total number of concurrent requests have exceeded the limit allowed by the system."
    " Please resubmit your request later."
)
_MAINTENANCE = "<html><body><h1>Service unavailable</h1><p>Zuora is under maintenance.</p></body></html>"


class Turnstile:
    """An ASGI application around another. It runs in the server's event loop only, so it needs no lock."""

    def __init__(self, app: ASGIApp, clock: Callable[[], datetime], per_minute: int, at_once: int) -> None:
        self._app = app
        self._quota = RequestQuota(per_minute, clock)
        self._token_quota = RequestQuota(TOKENS_PER_MINUTE, clock)
        self._at_once = at_once
        self._inside = 0
        self.under_maintenance = False
        self.came: Counter[str] = Counter()
        self.over_limit = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        self.came[f"{scope['method']} {path}"] += 1
        counts = path != TOKEN_PATH
        standing = (self._quota if counts else self._token_quota).take()
        self._inside += counts
        try:
            headers = self._headers(scope, standing)
            refusal = self._refusal(standing, counts)
            if refusal is None:
                await self._app(scope, receive, _with_headers(send, headers))
            else:
                await _send(refusal, _with_headers(send, headers))
        finally:
            self._inside -= counts

    def _refusal(self, standing: Standing, counts: bool) -> Answer | None:
        if self.under_maintenance:
            return Answer(503, _MAINTENANCE.encode(), "text/html")
        if not standing.allowed:
            self.over_limit += 1
            return json_answer({"code": "REQUEST_EXCEEDED_LIMIT", "message": _TOO_MANY}, 429)
        if counts and self._inside > self._at_once:
            self.over_limit += 1
            body = json_answer({"code": "REQUEST_EXCEEDED_LIMIT", "message": _TOO_MANY_AT_ONCE})
            return Answer(429, body.body, headers={"retry-after": "1"})
        return None

    def _headers(self, scope: Scope, standing: Standing) -> dict[str, str]:
        headers = {**standing.headers, "zuora-request-id": make_id("Request", self.came.total())}
        if scope["path"].startswith("/v1/"):
            headers["concurrency-limit-type"] = CONCURRENCY_TYPE
            headers["concurrency-limit-limit"] = str(self._at_once)
            headers["concurrency-limit-remaining"] = str(max(0, self._at_once - self._inside))
        for name, value in scope["headers"]:
            if name == b"zuora-track-id":
                headers["zuora-track-id"] = value.decode("latin-1")
        return headers


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    added = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def extended(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return extended


async def _send(answer: Answer, send: Send) -> None:
    headers = {"content-type": answer.media_type, "content-length": str(len(answer.body)), **answer.headers}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})
