"""An organisation whose clock only the test moves, its server on a real socket, and a client that is logged in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox.billingplatform import BillingPlatformServer, Organisation
from tests.tls import TLS

USER, PASSWORD = "tieout", "a-password"
START = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def organisation(clock: _Clock) -> Organisation:
    return Organisation(clock)


@pytest.fixture
def server(organisation: Organisation) -> Iterator[BillingPlatformServer]:
    with BillingPlatformServer(
        organisation,
        username=USER,
        password=PASSWORD,
        client_id="client",
        client_secret="a-secret",
        per_minute=60,
        lifetime=timedelta(hours=1),
    ) as running:
        yield running


@pytest.fixture
def client(server: BillingPlatformServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/rest/2.0", timeout=20, verify=TLS) as opened:
        login = opened.post("/login", json={"username": USER, "password": PASSWORD}).json()["loginResponse"][0]
        opened.headers["sessionid"] = login["SessionID"]
        yield opened
