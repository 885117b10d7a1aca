"""Run an ASGI application on a loopback port of its own, in a thread, with a real socket."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime

import uvicorn
from starlette.types import ASGIApp

from sandbox.faults import Faults, Switchboard

START_DEADLINE_S = 10.0


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
        self._server: uvicorn.Server | None = None
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
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True, name=f"loopback-{self.port}")
        self._thread.start()
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"The server on port {self.port} did not come up.")
            self._thread.join(timeout=0.01)
        return self.url

    def stop(self) -> None:
        """Close the port; requests are refused from then on."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
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
