"""A door before a server: requests go through it one by one, until it is told to keep one."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

METHODS = (b"GET ", b"POST ", b"PUT ", b"DELETE ")
CHUNK = 65_536
DEADLINE_S = 60.0


class Doorway:
    """Relays bytes between a client and `port`. A request that is kept has not reached the server."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Condition()
        self._keep_at: int | None = None
        self._kept = False
        self._ends: list[socket.socket] = []
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._listener.close()
        for end in self._ends:
            _shut(end)

    def keep(self, number: int) -> None:
        """Keep the `number`-th request from now, 1 for the next, and all after it."""
        with self._lock:
            self._keep_at = self.requests + number

    def wait_until_kept(self) -> None:
        with self._lock:
            assert self._lock.wait_for(lambda: self._kept, DEADLINE_S), f"only {self.requests} requests came"

    def release(self) -> None:
        with self._lock:
            self._keep_at, self._kept = None, False
            self._lock.notify_all()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [client, server]
            threading.Thread(target=self._relay, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._relay, args=(server, client, False), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, requests: bool) -> None:
        try:
            while chunk := source.recv(CHUNK):
                if requests and chunk.startswith(METHODS):
                    self._admit()
                target.sendall(chunk)
        except OSError:
            pass
        finally:
            # Closing alone would leave the other thread waiting in recv, and the connection open.
            _shut(source)
            _shut(target)

    def _admit(self) -> None:
        with self._lock:
            self.requests += 1
            if self._keep_at is not None and self.requests >= self._keep_at:
                self._kept = True
                self._lock.notify_all()
                self._lock.wait_for(lambda: self._keep_at is None)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
