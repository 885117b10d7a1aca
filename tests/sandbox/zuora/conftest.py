"""A tenant whose clock only the test moves, its server on a real socket, and a client that is logged in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox.zuora import ZuoraServer, ZuoraTenant
from tests.tls import TLS

START = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
CLIENT_ID = "tieout"
CLIENT_SECRET = "a-secret"


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


def _logged_in(server: ZuoraServer) -> httpx.Client:
    client = httpx.Client(base_url=server.url, timeout=20, verify=TLS)
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
    token = client.post("/oauth/token", data=form).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@contextmanager
def _connections() -> Iterator[Callable[[ZuoraTenant], httpx.Client]]:
    with ExitStack() as stack:

        def connect(tenant: ZuoraTenant) -> httpx.Client:
            server = stack.enter_context(ZuoraServer(tenant, client_id=CLIENT_ID, client_secret=CLIENT_SECRET))
            return stack.enter_context(closing(_logged_in(server)))

        yield connect


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def advance(clock: _Clock) -> Callable[[timedelta], None]:
    return clock.advance


@pytest.fixture
def tenant(clock: _Clock) -> ZuoraTenant:
    return ZuoraTenant(clock)


@pytest.fixture
def server(tenant: ZuoraTenant) -> Iterator[ZuoraServer]:
    with ZuoraServer(tenant, client_id=CLIENT_ID, client_secret=CLIENT_SECRET) as server:
        yield server


@pytest.fixture
def log_in() -> Iterator[Callable[[ZuoraServer], httpx.Client]]:
    """Gives a client with a fresh token for any server."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(closing(_logged_in(server)))


@pytest.fixture
def client(server: ZuoraServer, log_in: Callable[[ZuoraServer], httpx.Client]) -> httpx.Client:
    return log_in(server)


@pytest.fixture
def connect() -> Iterator[Callable[[ZuoraTenant], httpx.Client]]:
    """Gives a client of a new server for a tenant that the test has made."""
    with _connections() as connections:
        yield connections


@pytest.fixture(scope="module")
def connect_once() -> Iterator[Callable[[ZuoraTenant], httpx.Client]]:
    """The same for tests that only read, which may share one server."""
    with _connections() as connections:
        yield connections
