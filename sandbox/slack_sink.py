"""A Slack workspace of one incoming webhook: takes posts, refuses what Slack refuses, keeps the rest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.inbox import Inbox
from sandbox.serving import LoopbackServer
from sandbox.slack_payload import refusal

PATH = "/services/T00000000/B00000000/sandboxsandboxsandbox"
REASONS = {
    400: "invalid_payload",
    403: "action_prohibited",
    404: "no_service",
    410: "channel_is_archived",
    429: "rate_limited",
    500: "rollup_error",
}


@dataclass(frozen=True)
class Failure:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def response(self) -> Response:
        if self.status in {204, 304}:
            return Response(status_code=self.status, headers=dict(self.headers))
        default = "ok" if self.status < 300 else REASONS.get(self.status, "error")
        text = default if self.body is None else self.body
        return PlainTextResponse(text, status_code=self.status, headers=dict(self.headers))


class SlackSink:
    """Use as a context manager, or `start` and `stop`. The URL stays the same over a restart."""

    def __init__(self, port: int = 0) -> None:
        self._inbox = Inbox[dict[str, Any], Failure]()
        self._server = LoopbackServer(
            Starlette(routes=[Route("/services/{rest:path}", self._receive, methods=["POST"])]), port
        )

    @property
    def webhook_url(self) -> str:
        return self._server.url + PATH

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The accepted payloads, in order of arrival."""
        return self._inbox.items

    def fail_next(
        self,
        status: int,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> None:
        """Answer the next `times` posts with `status` and keep none of them; Slack's own word when `body` is None."""
        self._inbox.fail_next(Failure(status, headers or {}, body), times)

    def wait_for(self, count: int, timeout: float = 5.0) -> list[dict[str, Any]]:
        """The messages once there are `count`. Raises TimeoutError after `timeout` seconds."""
        return self._inbox.wait_for(count, timeout)

    def clear(self) -> None:
        """Forget messages and planned failures."""
        self._inbox.clear()

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _receive(self, request: Request) -> Response:
        raw = await request.body()
        if failure := self._inbox.next_failure():
            return failure.response()
        if request.url.path != PATH:
            return PlainTextResponse("no_service", status_code=404)
        try:
            payload = json.loads(raw)
        except ValueError:
            return PlainTextResponse("invalid_payload", status_code=400)
        if reason := refusal(payload):
            return PlainTextResponse(reason, status_code=400)
        self._inbox.add(payload)
        return PlainTextResponse("ok")
