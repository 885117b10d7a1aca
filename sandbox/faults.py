"""Faults on demand: a switchboard between the socket of any simulator and its application.

    server.faults.add(too_many(retry_after=2), path="/query", after=1)   # the second query is refused with 429
    server.faults.add(Cut(), times=3)                                    # three bodies end half-way

A fault waits for the requests that it is for, lets `after` of them pass, and then strikes `times` times (for ever with
`times=None`). The first one that fits a request strikes. What only one vendor does (an expired session, an error inside
a 200, a lost permission, a hidden field) is a method of that vendor's simulator.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Lock
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Linger for no time: closing the socket sends a reset instead of an end.
_AT_ONCE = struct.pack("ii", 1, 0)
_CREDENTIALS = frozenset({b"authorization", b"cookie", b"sessionid"})
_PAGE = "<html><head><title>Error</title></head><body><h1>Service Unavailable</h1></body></html>"


@dataclass
class Exchange:
    """One request as a fault meets it. `last` is the whole answer that its path gave before, None at first."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    last: list[Message] | None

    async def answer(self) -> list[Message]:
        """What the application answers, not sent yet."""
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        await self.app(self.scope, self.receive, keep)
        return said

    async def end(self, *, reset: bool) -> None:
        """End the connection at once: with a reset, or as if all had been said."""
        # uvicorn hands no transport to an application, except as that of its receive.
        transport: asyncio.Transport = self.receive.__self__.transport  # type: ignore[attr-defined]
        if reset:
            plug: socket.socket = transport.get_extra_info("socket")
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        transport.abort()
        # uvicorn learns of it in one of the next turns of its loop, and until then would answer by itself.
        while (await self.receive())["type"] != "http.disconnect":
            pass


class Strike(Protocol):
    async def __call__(self, exchange: Exchange) -> None:
        """Do to the exchange what the fault is."""


@dataclass(frozen=True)
class Reply:
    """Another answer instead of the application's, which never hears of the request."""

    status: int
    body: str = _PAGE
    media_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, exchange: Exchange) -> None:
        content = self.body.encode()
        headers = {"content-type": self.media_type, "content-length": str(len(content)), **self.headers}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await exchange.send({"type": "http.response.start", "status": self.status, "headers": raw})
        await exchange.send({"type": "http.response.body", "body": content})


def too_many(retry_after: int | str | None = None) -> Reply:
    """A 429, with `Retry-After` or without."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Reply(429, '{"message": "Too many requests."}', "application/json", headers)


def unavailable() -> Reply:
    """A 503 of the kind that a load balancer gives: a page of HTML."""
    return Reply(503)


def unauthorized() -> Reply:
    """A 401 that no vendor words like that; with `times=None` it stays, whatever login comes."""
    return Reply(401, '{"message": "Not authorized."}', "application/json")


@dataclass(frozen=True)
class Cut:
    """The body ends after a share of it, and the connection with it; the headers promise all of it."""

    share: float = 0.5

    async def __call__(self, exchange: Exchange) -> None:
        start, body = _joined(await exchange.answer())
        await exchange.send(start)
        await exchange.send(
            {"type": "http.response.body", "body": body[: int(len(body) * self.share)], "more_body": True}
        )
        await exchange.end(reset=False)


@dataclass(frozen=True)
class Short:
    """The body ends after a share of it, and the headers say that this is all: only its content shows it."""

    share: float = 0.5

    async def __call__(self, exchange: Exchange) -> None:
        start, body = _joined(await exchange.answer())
        body = body[: int(len(body) * self.share)]
        headers = [(n, v) for n, v in start["headers"] if n.lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await exchange.send({**start, "headers": headers})
        await exchange.send({"type": "http.response.body", "body": body})


@dataclass(frozen=True)
class Slow:
    """The body comes in pieces with a pause before each."""

    pieces: int = 4
    pause_s: float = 0.01

    async def __call__(self, exchange: Exchange) -> None:
        start, body = _joined(await exchange.answer())
        await exchange.send(start)
        size = max(1, -(-len(body) // self.pieces))
        for begin in range(0, len(body), size):
            await asyncio.sleep(self.pause_s)
            more = begin + size < len(body)
            await exchange.send({"type": "http.response.body", "body": body[begin : begin + size], "more_body": more})


@dataclass(frozen=True)
class Silent:
    """No answer, until the client has waited long enough and goes away."""

    async def __call__(self, exchange: Exchange) -> None:
        while (await exchange.receive())["type"] != "http.disconnect":
            pass


@dataclass(frozen=True)
class Reset:
    """The connection is reset; the application did its work all the same where `done`."""

    done: bool = False

    async def __call__(self, exchange: Exchange) -> None:
        if self.done:
            await exchange.answer()
        await exchange.end(reset=True)


@dataclass(frozen=True)
class Again:
    """The answer that the path gave before comes once more: a page that is duplicated."""

    async def __call__(self, exchange: Exchange) -> None:
        for message in exchange.last or await exchange.answer():
            await exchange.send(message)


@dataclass
class _Waiting:
    strike: Strike
    path: str
    method: str
    after: int
    times: int | None

    def fits(self, scope: Scope) -> bool:
        return self.path in scope["path"] and self.method in ("", scope["method"])


class Faults:
    """The switchboard, for any thread. `skew` is how far the `Date` of answers is off; `headers` are added to each.

    `came` counts every request by "METHOD /path", `answered` the application's own answers by status, sent on or not,
    and `struck` the faults that came about. `credentials` are what requests were let in by: a secret each.
    """

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.answered: Counter[int] = Counter()
        self.credentials: set[str] = set()
        self.struck = 0
        self.skew = timedelta(0)
        self.headers: dict[str, str] = {}
        self._waiting: list[_Waiting] = []
        self._last: dict[str, list[Message]] = {}
        self._lock = Lock()

    def add(self, strike: Strike, *, path: str = "", method: str = "", after: int = 0, times: int | None = 1) -> None:
        """Let `after` requests pass whose path holds `path`, then strike. Faults that are added first come first."""
        with self._lock:
            self._waiting.append(_Waiting(strike, path, method, after, times))

    def clear(self) -> None:
        """No fault waits any more, and no answer is remembered that could come again."""
        with self._lock:
            self._waiting.clear()
            self._last.clear()

    def due(self, scope: Scope) -> Strike | None:
        """The fault that strikes this request, counted down."""
        with self._lock:
            self.came[f"{scope['method']} {scope['path']}"] += 1
            self.credentials.update(value.decode() for name, value in scope["headers"] if name in _CREDENTIALS)
            for waiting in self._waiting:
                if not waiting.fits(scope):
                    continue
                if waiting.after:
                    waiting.after -= 1
                    continue
                if waiting.times is not None:
                    waiting.times -= 1
                    if not waiting.times:
                        self._waiting.remove(waiting)
                self.struck += 1
                return waiting.strike
        return None

    def remember(self, scope: Scope, answer: list[Message]) -> None:
        """Keep what a path answered, until it answers again."""
        self._last[scope["path"]] = answer

    def last(self, scope: Scope) -> list[Message] | None:
        """What the path of a request answered before; None at first."""
        return self._last.get(scope["path"])


class Switchboard:
    """The ASGI application with the faults before it. `clock`, where given, is in the `Date` of every answer."""

    def __init__(self, app: ASGIApp, faults: Faults, clock: Callable[[], datetime] | None = None) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        strike = self._faults.due(scope)
        if strike is not None:
            await strike(Exchange(self._counted, scope, receive, self._headed(send), self._faults.last(scope)))
            return
        answer: list[Message] = []
        headed = self._headed(send)

        async def kept(message: Message) -> None:
            answer.append(message)
            await headed(message)

        await self._counted(scope, receive, kept)
        self._faults.remember(scope, answer)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, with its answer counted."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._faults.answered[message["status"]] += 1
            await send(message)

        await self._app(scope, receive, counted)

    def _headed(self, send: Send) -> Send:
        """A sender that puts the clock's time, and the headers that were asked for, into the head of an answer."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._more(message)]}
            await send(message)

        return headed

    def _more(self, message: Message) -> list[tuple[bytes, bytes]]:
        more = [(name.encode(), value.encode()) for name, value in self._faults.headers.items()]
        if self._clock is not None and all(name.lower() != b"date" for name, _ in message.get("headers", ())):
            now = (self._clock() + self._faults.skew).astimezone(UTC)
            more.append((b"date", format_datetime(now, usegmt=True).encode()))
        return more


def _joined(messages: list[Message]) -> tuple[Message, bytes]:
    """The beginning of an answer and its whole body."""
    start = next(message for message in messages if message["type"] == "http.response.start")
    return start, b"".join(message.get("body", b"") for message in messages if message["type"] == "http.response.body")
