"""Run an ASGI application on a loopback port of its own, in a thread, with a real socket."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import uvicorn
from starlette.types import ASGIApp

from sandbox.faults import Faults, Switchboard

START_DEADLINE_S = 10.0
LOOK_AGAIN_S = 0.002


class _PromptServer(uvicorn.Server):
    """Ends as soon as it is told and its answers are out, where uvicorn itself looks up every tenth of a second."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), timeout=0.1)

    def end(self) -> None:
        """From any thread."""
        self.should_exit = True
        with suppress(RuntimeError):  # its loop has ended by itself
            self._loop.call_soon_threadsafe(self._told.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        del sockets  # it opened its own, and has no lifespan that would have to end
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(LOOK_AGAIN_S)
        for server in self.servers:
            await server.wait_closed()


class LoopbackServer:
    """One HTTP server on 127.0.0.1. `start` after `stop` listens on the same port again.

    With a `clock`, the `Date` of its answers is that clock's: a simulated system lives in its own time. `faults` makes
    things go wrong between the socket and the application.

    Raises RuntimeError when the server has not come up within `START_DEADLINE_S` seconds.
    """

    def __init__(self, app: ASGIApp, port: int = 0, clock: Callable[[], datetime] | None = None) -> None:
        self.faults = Faults()
        self._app = Switchboard(app, self.faults, clock)
        self._dates_itself = clock is not None
        self.port = port or _free_port()
        self._server: _PromptServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> str:
        """Listen, and return the base URL once requests are answered."""
        config = uvicorn.Config(
            self._app,
            host="127.0.0.1",
            port=self.port,
            log_level="warning",
            lifespan="off",
            access_log=False,
            date_header=not self._dates_itself,
        )
        self._server = _PromptServer(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True, name=f"loopback-{self.port}")
        self._thread.start()
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"The server on port {self.port} did not come up.")
            self._thread.join(timeout=LOOK_AGAIN_S)
        return self.url

    def stop(self) -> None:
        """Close the port; requests are refused from then on."""
        if self._server is None or self._thread is None:
            return
        self._server.end()
        self._thread.join(timeout=START_DEADLINE_S)
        self._server = self._thread = None

    def __enter__(self) -> "LoopbackServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
