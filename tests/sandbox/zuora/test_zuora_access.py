import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from sandbox.zuora import ZuoraServer, ZuoraTenant
from tests.tls import TLS

LogIn = Callable[[ZuoraServer], httpx.Client]
Advance = Callable[[timedelta], None]

FORM = {"client_id": "tieout", "client_secret": "a-secret", "grant_type": "client_credentials"}
QUERY = {"queryString": "select Id from Account"}
ORDER = {"targetDate": "2026-11-30", "batches": ["AllBatches"]}


def serve(tenant: ZuoraTenant, per_minute: int = 50_000, at_once: int = 40) -> ZuoraServer:
    return ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", per_minute=per_minute, at_once=at_once)


def test_a_token_for_the_right_credentials(server: ZuoraServer) -> None:
    body = httpx.post(f"{server.url}/oauth/token", data=FORM, verify=TLS).json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 3599
    assert {"access_token", "scope", "jti"} <= set(body)


@pytest.mark.parametrize(
    ("change", "status"),
    [({"client_secret": "wrong"}, 401), ({"client_id": "wrong"}, 401), ({"grant_type": "password"}, 400)],
)
def test_no_token_for_the_wrong_ones(server: ZuoraServer, change: dict[str, str], status: int) -> None:
    response = httpx.post(f"{server.url}/oauth/token", data={**FORM, **change}, verify=TLS)
    assert response.status_code == status
    assert "error" in response.json()
    assert "a-secret" not in response.text


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dGllb3V0"}])
def test_every_resource_needs_a_token(server: ZuoraServer, header: dict[str, str]) -> None:
    for path in ("/v1/invoices/x", "/v1/describe/Account", "/object-query/invoices", "/v1/bill-runs/x"):
        response = httpx.get(server.url + path, headers=header, verify=TLS)
        assert response.status_code == 401
    body = httpx.get(f"{server.url}/v1/invoices/x", headers=header, verify=TLS).json()
    assert (body["success"], body["reasons"][0]["code"]) == (False, 90000011)
    response = httpx.post(f"{server.url}/v1/action/query", json=QUERY, headers=header, verify=TLS)
    assert response.status_code == 401
    assert "message" in response.json()


def test_a_token_expires_by_the_tenants_clock(client: httpx.Client, advance: Advance) -> None:
    advance(timedelta(seconds=3598))
    assert client.post("/v1/action/query", json=QUERY).status_code == 200
    advance(timedelta(seconds=1))
    assert client.post("/v1/action/query", json=QUERY).status_code == 401


def test_tokens_can_be_revoked(client: httpx.Client, server: ZuoraServer, log_in: LogIn) -> None:
    server.revoke_tokens()
    assert client.post("/v1/action/query", json=QUERY).status_code == 401
    assert log_in(server).post("/v1/action/query", json=QUERY).status_code == 200


def test_every_answer_says_who_and_how_much(client: httpx.Client) -> None:
    responses = [
        client.post("/v1/action/query", json=QUERY),
        client.get("/v1/invoices/none"),
        client.get("/v1/describe/none"),
        client.get("/object-query/invoices"),
        client.get("/v1/nowhere"),
        client.get("/v1/invoices/none", headers={"Authorization": "none"}),
        client.post("/oauth/token", data=FORM),
    ]
    for response in responses:
        assert response.headers["ratelimit-limit"].split(",")[0].isdecimal()
        assert response.headers["ratelimit-remaining"].isdecimal()
        assert response.headers["ratelimit-reset"] == "60"
    assert len({response.headers["zuora-request-id"] for response in responses}) == len(responses)
    assert responses[0].headers["concurrency-limit-type"] == "default"
    assert responses[0].headers["concurrency-limit-limit"] == "40"
    assert responses[0].headers["concurrency-limit-remaining"] == "39"
    assert "concurrency-limit-type" not in responses[3].headers


def test_a_track_id_comes_back(client: httpx.Client) -> None:
    assert client.get("/v1/describe", headers={"Zuora-Track-Id": "t-1"}).headers["zuora-track-id"] == "t-1"


def test_requests_are_counted_refused_or_not(tenant: ZuoraTenant, log_in: LogIn) -> None:
    with serve(tenant, per_minute=2) as server:
        client = log_in(server)
        for _ in range(3):
            client.get("/v1/invoices/x")
        assert server.requests == {"POST /oauth/token": 1, "GET /v1/invoices/x": 3}
        assert server.requests.total() == 4


def test_the_limit_of_a_minute(tenant: ZuoraTenant, log_in: LogIn, advance: Advance) -> None:
    with serve(tenant, per_minute=3) as server:
        client = log_in(server)
        remaining = []
        for _ in range(3):
            response = client.get("/v1/invoices/x")
            assert response.status_code == 200
            remaining.append(response.headers["ratelimit-remaining"])
            advance(timedelta(seconds=10))
        assert remaining == ["2", "1", "0"]
        refused = client.get("/v1/invoices/x")
        assert refused.status_code == 429
        assert refused.json()["code"] == "REQUEST_EXCEEDED_LIMIT"
        assert refused.headers["ratelimit-limit"] == "3, 3;w=60"
        assert refused.headers["ratelimit-remaining"] == "0"
        assert log_in(server).post("/oauth/token", data=FORM).status_code == 200


def test_waiting_for_the_reset_is_enough(tenant: ZuoraTenant, log_in: LogIn, advance: Advance) -> None:
    with serve(tenant, per_minute=2) as server:
        client = log_in(server)
        statuses = [client.get("/v1/invoices/x").status_code for _ in range(2)]
        advance(timedelta(seconds=17.5))
        refused = client.get("/v1/invoices/x")
        advance(timedelta(seconds=int(refused.headers["ratelimit-reset"])))
        assert [*statuses, refused.status_code, client.get("/v1/invoices/x").status_code] == [200, 200, 429, 200]


def test_who_keeps_asking_stays_out(tenant: ZuoraTenant, log_in: LogIn, advance: Advance) -> None:
    with serve(tenant, per_minute=2) as server:
        client = log_in(server)
        assert [client.get("/v1/invoices/x").status_code for _ in range(2)] == [200, 200]
        for _ in range(20):
            advance(timedelta(seconds=20))
            assert client.get("/v1/invoices/x").status_code == 429
        advance(timedelta(seconds=60))
        assert client.get("/v1/invoices/x").status_code == 200


def test_too_many_at_once(tenant: ZuoraTenant, log_in: LogIn) -> None:
    with serve(tenant, at_once=1) as server:
        client = log_in(server)
        with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port)) as slow:
            slow.sendall(b"POST /v1/action/query HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
            until(lambda: server.requests["POST /v1/action/query"] == 1, "the slow request has come")
            refused = client.get("/v1/invoices/x")
            assert refused.status_code == 429
            assert refused.json()["code"] == "REQUEST_EXCEEDED_LIMIT"
            assert refused.headers["concurrency-limit-remaining"] == "0"
            assert client.post("/oauth/token", data=FORM).status_code == 200
        until(lambda: client.get("/v1/invoices/x").status_code == 200, "the slow request has gone")


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"


def test_maintenance_is_a_page_that_is_not_json(client: httpx.Client, server: ZuoraServer) -> None:
    server.set_maintenance(True)
    response = client.post("/v1/action/query", json=QUERY)
    assert response.status_code == 503
    assert response.text.startswith("<html>")
    server.set_maintenance(False)
    assert client.post("/v1/action/query", json=QUERY).status_code == 200


def test_a_body_that_is_not_json(client: httpx.Client) -> None:
    for body in (b"{", b"[]", b"\xff"):
        response = client.post("/v1/bill-runs", content=body)
        assert response.status_code == 400
        assert response.json()["reasons"][0]["code"] % 100 == 90


def order(client: httpx.Client, key: str, **change: object) -> httpx.Response:
    return client.post("/v1/bill-runs", json={**ORDER, **change}, headers={"Idempotency-Key": key})


def test_a_repeated_key_makes_one_run(client: httpx.Client, tenant: ZuoraTenant) -> None:
    first, second = order(client, "k"), order(client, "k", name="other body")
    assert first.json()["success"] is True
    assert first.content == second.content
    assert len(tenant.rows("BillRun")) == 1
    assert order(client, "k2").json()["id"] != first.json()["id"]


def test_a_failure_is_kept_under_its_key_too(client: httpx.Client, tenant: ZuoraTenant) -> None:
    failed = order(client, "k", targetDate=None)
    assert failed.json()["success"] is False
    assert order(client, "k").content == failed.content
    assert tenant.rows("BillRun") == []


def test_a_key_is_forgotten_after_a_day(
    client: httpx.Client, server: ZuoraServer, log_in: LogIn, advance: Advance
) -> None:
    first = order(client, "k").json()["id"]
    advance(timedelta(hours=24) - timedelta(seconds=1))
    assert order(log_in(server), "k").json()["id"] == first
    advance(timedelta(seconds=1))
    assert order(log_in(server), "k").json()["id"] != first


def test_a_key_belongs_to_one_address(client: httpx.Client) -> None:
    order(client, "k")
    response = client.post("/v1/action/query", json=QUERY, headers={"Idempotency-Key": "k"})
    assert response.status_code == 422


def test_a_key_may_have_255_characters(client: httpx.Client) -> None:
    assert order(client, "k" * 255).json()["success"] is True
    assert order(client, "k" * 256).status_code == 400


def test_a_key_whose_first_request_still_runs(client: httpx.Client, tenant: ZuoraTenant) -> None:
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(order(client, "k"))) for _ in range(2)]
    with tenant.lock:  # whoever comes first waits here, so the other must be turned away
        for thread in threads:
            thread.start()
        until(lambda: bool(answers), "one of the two has an answer")
        assert [answer.status_code for answer in answers] == [409]
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(tenant.rows("BillRun")) == 1


def test_a_stopped_server_comes_back_at_its_address(server: ZuoraServer, client: httpx.Client) -> None:
    url = server.url
    server.stop()
    with pytest.raises(httpx.TransportError):
        client.post("/v1/action/query", json=QUERY)
    assert server.start() == url
    assert client.post("/v1/action/query", json=QUERY).status_code == 200
