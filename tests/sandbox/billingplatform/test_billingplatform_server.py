"""Who may ask the simulated organisation, how often, and what goes wrong on demand."""

from typing import Protocol

import httpx
import pytest

from sandbox.billingplatform import BillingPlatformServer, Organisation
from tests.tls import TLS

ASK = {"sql": "SELECT COUNT(Id) n FROM ACCOUNT"}


class Clock(Protocol):
    def forward(self, **by: float) -> None: ...


def _ask(client: httpx.Client) -> int:
    return client.get("/query", params=ASK).status_code


def test_a_session_is_ended_by_logging_out(client: httpx.Client) -> None:
    assert _ask(client) == 200
    assert client.post("/logout").json() == {"logoutResponse": [{"ErrorCode": "0", "ErrorText": ""}]}
    answer = client.get("/query", params=ASK)
    assert (answer.status_code, answer.json()["ErrorCode"]) == (401, "401")


def test_a_session_ends_by_itself_and_on_demand(
    client: httpx.Client, server: BillingPlatformServer, clock: Clock
) -> None:
    clock.forward(minutes=59)
    assert _ask(client) == 200
    clock.forward(minutes=1)
    assert _ask(client) == 401
    login = client.post("/login", json={"username": "tieout", "password": "a-password"}).json()["loginResponse"][0]
    client.headers["sessionId"] = login["SessionID"]
    assert _ask(client) == 200
    server.end_sessions()
    assert _ask(client) == 401
    assert server.logins == 2


def test_a_wrong_password_is_an_error_inside_a_200(client: httpx.Client) -> None:
    answer = client.post("/login", json={"username": "tieout", "password": "x"})
    (login,) = answer.json()["loginResponse"]
    assert (answer.status_code, login["SessionID"], login["ErrorCode"]) == (200, "", "401")
    assert client.post("/login", json={"username": "tieout"}).status_code == 400


@pytest.mark.parametrize(
    ("pair", "grant", "status"),
    [
        (("client", "a-secret"), "client_credentials", 200),
        (("client", "wrong"), "client_credentials", 401),
        (("client", "a-secret"), "password", 400),
    ],
)
def test_a_token_for_a_client(server: BillingPlatformServer, pair: tuple[str, str], grant: str, status: int) -> None:
    with httpx.Client(base_url=server.url, verify=TLS) as client:
        answer = client.post("/auth/1.0/authenticate", params={"grant_type": grant}, auth=pair)
        in_form = client.post("/auth/1.0/authenticate", data={"grant_type": grant}, auth=pair)
        assert answer.status_code == in_form.status_code == status
        bearer = {"Authorization": f"Bearer {answer.json().get('access_token')}"}
        asked = client.get("/rest/2.0/query", params=ASK, headers=bearer)
        assert asked.status_code == (200 if status == 200 else 401)


def test_the_limit_of_a_minute(
    client: httpx.Client, server: BillingPlatformServer, clock: Clock, organisation: Organisation
) -> None:
    assert [_ask(client) for _ in range(60)] == [200] * 59 + [429]  # the login came before them
    answer = client.get("/query", params=ASK)
    assert (answer.status_code, answer.headers["retry-after"], server.over_limit) == (429, "60", 2)
    clock.forward(seconds=61)
    assert _ask(client) == 200
    silent = BillingPlatformServer(organisation, username="u", password="p", per_minute=1, says_when=False)
    with silent, httpx.Client(base_url=f"{silent.url}/rest/2.0", verify=TLS) as other:
        assert other.get("/query").status_code == 401
        assert "retry-after" not in other.get("/query").headers


def test_what_is_said_on_demand(client: httpx.Client, server: BillingPlatformServer) -> None:
    server.say("The system is busy.", code="99", after=1)
    assert client.get("/query", params=ASK).json() == {"queryResponse": [{"n": "0"}]}
    answer = client.get("/query", params=ASK)
    assert answer.json() == {"queryResponse": [{"ErrorCode": "99", "ErrorText": "The system is busy."}]}
    assert (answer.status_code, _ask(client)) == (200, 200)
    assert server.requests["GET /query"] == 3


def test_the_form_of_an_empty_answer_is_a_setting(organisation: Organisation) -> None:
    with (
        BillingPlatformServer(organisation, username="u", password="p", empty={"note": "nothing"}) as server,
        httpx.Client(base_url=f"{server.url}/rest/2.0", verify=TLS) as client,
    ):
        login = client.post("/login", json={"username": "u", "password": "p"}).json()["loginResponse"][0]
        client.headers["sessionid"] = login["SessionID"]
        answer = client.get("/query", params={"sql": "SELECT Id FROM ACCOUNT"})
        assert (answer.status_code, answer.json()) == (404, {"note": "nothing"})
        assert client.get("/query", params={"sql": "SELECT Id FROM ACOUNT"}).json()["ErrorCode"] == "404"
