"""Faults on demand, as a client meets them over a real socket."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import (
    Again,
    Cut,
    Faults,
    Reply,
    Reset,
    Short,
    Silent,
    Slow,
    Strike,
    too_many,
    unauthorized,
    unavailable,
)
from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, make_key_pair
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from sandbox.serving import LoopbackServer
from sandbox.zuora import ZuoraServer, ZuoraTenant
from tests.tls import TLS

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
PAGES = [[f"record {n}" for n in range(first, first + 50)] for first in (0, 50, 100)]


class Paged:
    """An application with one list: every request gets the next page, and is counted."""

    def __init__(self) -> None:
        self.worked = 0

    async def page(self, _: Request) -> Response:
        self.worked += 1
        return JSONResponse(PAGES[(self.worked - 1) % len(PAGES)])

    async def other(self, _: Request) -> Response:
        return JSONResponse({"other": True}, 404)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/list", self.page, methods=["GET", "POST"]), Route("/other", self.other)])


@pytest.fixture
def paged() -> Paged:
    return Paged()


@pytest.fixture
def server(paged: Paged) -> Iterator[LoopbackServer]:
    with LoopbackServer(paged.app(), clock=lambda: NOON) as running:
        yield running


@pytest.fixture
def client(server: LoopbackServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=5.0, trust_env=False, verify=TLS) as opened:
        yield opened


def test_without_a_fault_every_answer_is_the_applications(server: LoopbackServer, client: httpx.Client) -> None:
    assert [client.get("/list").json() for _ in PAGES] == PAGES
    assert client.get("/other").status_code == 404
    assert server.faults.came == {"GET /list": 3, "GET /other": 1}
    assert server.faults.answered == {200: 3, 404: 1}
    assert server.faults.struck == 0


@pytest.mark.parametrize(
    ("strike", "status", "header"),
    [
        (too_many(), 429, None),
        (too_many(retry_after=2), 429, "2"),
        (too_many(retry_after="Tue, 01 Dec 2026 12:00:09 GMT"), 429, "Tue, 01 Dec 2026 12:00:09 GMT"),
        (unavailable(), 503, None),
        (unauthorized(), 401, None),
        (Reply(420, "{}", "application/json", {"retry-after": "7"}), 420, "7"),
    ],
)
def test_another_answer_comes_instead(
    server: LoopbackServer, client: httpx.Client, paged: Paged, strike: Reply, status: int, header: str | None
) -> None:
    server.faults.add(strike)
    answer = client.get("/list")
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, header)
    assert answer.text == strike.body
    assert answer.headers["content-type"].startswith(strike.media_type)
    assert paged.worked == 0
    assert client.get("/list").json() == PAGES[0]
    assert server.faults.struck == 1


def test_a_503_is_a_page_that_is_no_json(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.add(unavailable())
    answer = client.get("/list")
    assert answer.headers["content-type"] == "text/html"
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_cut_body_is_shorter_than_its_headers_promise(
    server: LoopbackServer, client: httpx.Client, paged: Paged
) -> None:
    server.faults.add(Cut())
    with client.stream("GET", "/list") as answer:
        assert int(answer.headers["content-length"]) == len(JSONResponse(PAGES[0]).body)
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()
    assert paged.worked == 1


def test_a_short_body_says_that_it_is_all(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.add(Short(share=0.25))
    answer = client.get("/list")
    whole = bytes(JSONResponse(PAGES[0]).body)
    assert answer.status_code == 200
    assert answer.content == whole[: len(whole) // 4]
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_slow_body_comes_whole_and_in_pieces(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.add(Slow(pieces=4, pause_s=0.005))
    with client.stream("GET", "/list") as answer:
        pieces = [piece for piece in answer.iter_raw() if piece]
    assert json.loads(b"".join(pieces)) == PAGES[0]
    assert len(pieces) > 1


def test_silence_lasts_until_the_client_goes_away(server: LoopbackServer, client: httpx.Client, paged: Paged) -> None:
    server.faults.add(Silent())
    with pytest.raises(httpx.ReadTimeout):
        client.get("/list", timeout=0.05)
    assert paged.worked == 0
    assert client.get("/list").json() == PAGES[0]


@pytest.mark.parametrize(("done", "worked"), [(False, 0), (True, 1)])
def test_a_reset_comes_before_or_after_the_work(
    server: LoopbackServer, client: httpx.Client, paged: Paged, done: bool, worked: int
) -> None:
    server.faults.add(Reset(done=done))
    with pytest.raises(httpx.ReadError) as reset:
        client.get("/list")
    assert isinstance(_root(reset.value), ConnectionResetError)
    assert paged.worked == worked
    assert server.faults.answered[200] == worked
    assert client.get("/list").json() == PAGES[worked]


def _root(error: BaseException) -> BaseException:
    """The error that began it."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error


def test_a_page_comes_again(server: LoopbackServer, client: httpx.Client, paged: Paged) -> None:
    server.faults.add(Again(), after=1)
    assert [client.get("/list").json() for _ in range(3)] == [PAGES[0], PAGES[0], PAGES[1]]
    assert paged.worked == 2


def test_what_comes_again_is_what_the_same_path_gave(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.add(Again(), path="/list")
    client.get("/other")
    assert client.get("/list").json() == PAGES[0], "nothing came from there before"


def test_a_fault_waits_for_its_requests(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.add(too_many(), path="/list", method="POST", after=1, times=2)
    assert client.post("/list").status_code == 200
    assert client.get("/list").status_code == 200
    assert [client.post("/list").status_code for _ in range(3)] == [429, 429, 200]


def test_faults_strike_in_the_order_in_which_they_were_added(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.add(too_many(), times=2)
    server.faults.add(unavailable())
    assert [client.get("/list").status_code for _ in range(4)] == [429, 429, 503, 200]


def test_a_fault_may_stay_until_it_is_cleared(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.add(unauthorized(), times=None)
    assert {client.get("/list").status_code for _ in range(5)} == {401}
    server.faults.clear()
    assert client.get("/list").status_code == 200


@pytest.mark.parametrize("strike", [None, too_many(), Short(), Again()])
def test_every_answer_has_the_date_of_the_systems_clock(
    server: LoopbackServer, client: httpx.Client, strike: Strike | None
) -> None:
    assert parsedate_to_datetime(client.get("/list").headers["date"]) == NOON
    server.faults.skew = timedelta(minutes=-7)
    if strike is not None:
        server.faults.add(strike)
    answer = client.get("/list")
    assert [parsedate_to_datetime(date) for date in answer.headers.get_list("date")] == [NOON - timedelta(minutes=7)]


def test_headers_and_credentials_are_added_and_seen(server: LoopbackServer, client: httpx.Client) -> None:
    server.faults.headers["set-cookie"] = "JSESSIONID=abc"
    server.faults.add(unavailable())
    assert [client.get("/list").cookies.get("JSESSIONID") for _ in range(2)] == ["abc", "abc"]
    client.get("/list", headers={"Authorization": "Bearer xyz"})
    assert server.faults.credentials == {"JSESSIONID=abc", "Bearer xyz"}


@pytest.mark.parametrize("strike", [Cut(), Reset(), Reset(done=True), Silent(), Short(), Slow(), Again()])
def test_the_server_says_nothing_of_a_fault(
    server: LoopbackServer, client: httpx.Client, caplog: pytest.LogCaptureFixture, strike: Strike
) -> None:
    server.faults.add(strike)
    with caplog.at_level(logging.INFO, "uvicorn"):
        for _ in range(2):
            with suppress(httpx.TransportError):
                client.get("/list", timeout=0.2)
    server.stop()
    assert [record for record in caplog.records if record.name.startswith("uvicorn") and record.levelno > 20] == []


class Simulator(Protocol):
    @property
    def faults(self) -> Faults: ...

    @property
    def url(self) -> str: ...

    def start(self) -> str: ...

    def stop(self) -> None: ...


def _netsuite(_: Path) -> Simulator:
    public = make_key_pair("ES256")[1]
    return NetSuiteServer(
        NetSuiteAccount(lambda: NOON), client_id="c", certificate_id="k", public_key_pem=public, wall_clock=lambda: NOON
    )


SIMULATORS: dict[str, Callable[[Path], Simulator]] = {
    "salesforce": lambda _: SalesforceServer(SalesforceOrg(lambda: NOON)),
    "zuora": lambda _: ZuoraServer(ZuoraTenant(lambda: NOON), client_id="c", client_secret="s"),
    "netsuite": _netsuite,
}


@pytest.mark.parametrize("make", SIMULATORS.values(), ids=SIMULATORS.keys())
def test_every_simulator_has_the_switchboard(make: Callable[[Path], Simulator], tmp_path: Path) -> None:
    simulator = make(tmp_path)
    simulator.faults.add(too_many(retry_after=3), times=2)
    simulator.faults.skew = timedelta(seconds=90)
    simulator.start()
    try:
        answers = [httpx.get(f"{simulator.url}/anything", trust_env=False, verify=TLS) for _ in range(3)]
    finally:
        simulator.stop()
    assert [answer.status_code == 429 for answer in answers] == [True, True, False]
    assert {parsedate_to_datetime(answer.headers["date"]) for answer in answers} == {NOON + timedelta(seconds=90)}
