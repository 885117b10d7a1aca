"""A customer's endpoint for signed webhooks: keeps every delivery as it came, headers and raw body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.inbox import Inbox
from sandbox.serving import LoopbackServer


@dataclass(frozen=True)
class Delivery:
    """One POST that was answered with 200. Header names are lower-case; `body` is what the signature covers."""

    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class WebhookSink:
    """Use as a context manager, or `start` and `stop`. It does not check signatures: the raw material is kept."""

    def __init__(self, port: int = 0, path: str = "/hooks/tieout") -> None:
        self._inbox = Inbox[Delivery, tuple[int, dict[str, str]]]()
        self._path = path
        self._server = LoopbackServer(Starlette(routes=[Route(path, self._receive, methods=["POST"])]), port)

    @property
    def url(self) -> str:
        return self._server.url + self._path

    @property
    def deliveries(self) -> list[Delivery]:
        return self._inbox.items

    def fail_next(self, status: int, times: int = 1, headers: Mapping[str, str] | None = None) -> None:
        """Answer the next `times` posts with `status` and no body, and keep none of them."""
        self._inbox.fail_next((status, dict(headers or {})), times)

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Delivery]:
        """The deliveries once there are `count`. Raises TimeoutError after `timeout` seconds."""
        return self._inbox.wait_for(count, timeout)

    def clear(self) -> None:
        """Forget deliveries and planned failures."""
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
        body = await request.body()
        if failure := self._inbox.next_failure():
            status, headers = failure
            return Response(status_code=status, headers=headers)
        self._inbox.add(Delivery(dict(request.headers), body))
        return PlainTextResponse("received")
