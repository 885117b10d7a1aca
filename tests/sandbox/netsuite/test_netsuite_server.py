"""The server over a real socket: what a request must look like, what the replies are, and the shared pool."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, make_key_pair
from tests.sandbox.netsuite.netsuite_asking import NOON, Clock
from tests.tls import TLS

PRIVATE, PUBLIC = make_key_pair("ES256")
SUITEQL = "/services/rest/query/v1/suiteql"
RECORD = "/services/rest/record/v1"
IDS = "SELECT id FROM customer ORDER BY id ASC"
DEADLINE_S = 20.0


@pytest.fixture
def server() -> Iterator[NetSuiteServer]:
    account = NetSuiteAccount(Clock())
    for key in range(1, 26):
        account.put("customer", {"id": key, "companyname": f"Customer {key}"})
    account.put("customer", {"id": 2, "email": "pay@two.example"})
    server = NetSuiteServer(account, client_id="c", certificate_id="k", public_key_pem=PUBLIC, concurrency=3)
    with server:
        yield server


@pytest.fixture
def client(server: NetSuiteServer) -> Iterator[httpx.Client]:
    """A client that has signed in."""
    headers = {"Authorization": f"Bearer {token(server)}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=DEADLINE_S, verify=TLS) as client:
        yield client


def token(server: NetSuiteServer) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": "c", "aud": server.token_url, "scope": ["rest_webservices"], "iat": now, "exp": now + 300}
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "ES256", "kid": "k"}, claims, ECKey.import_key(PRIVATE)),
    }
    granted: str = httpx.post(server.token_url, data=form, verify=TLS).json()["access_token"]
    return granted


def ask(client: httpx.Client, query: str = IDS, *, params: list[object] | None = None, **window: int) -> httpx.Response:
    body: dict[str, object] = {"q": query}
    if params is not None:
        body["params"] = params
    return client.post(SUITEQL, params=window, json=body, headers={"Prefer": "transient"})


def error(reply: httpx.Response) -> tuple[int, str, str]:
    """Status, o:errorCode and detail of a refusal whose body has the documented shape."""
    body = reply.json()
    assert body["type"].startswith("https://www.rfc-editor.org/rfc/rfc9110.html#section-")
    assert body["title"]
    assert body["status"] == reply.status_code
    [details] = body["o:errorDetails"]
    return reply.status_code, details["o:errorCode"], details["detail"]


def test_a_page_has_its_rows_its_place_and_its_links(server: NetSuiteServer, client: httpx.Client) -> None:
    url = server.url + SUITEQL
    body = ask(client, "SELECT id, companyname, email FROM customer ORDER BY id ASC", limit=10, offset=0).json()
    assert body["items"][:2] == [
        {"links": [], "id": "1", "companyname": "Customer 1"},
        {"links": [], "id": "2", "companyname": "Customer 2", "email": "pay@two.example"},
    ]
    assert (body["count"], body["hasMore"], body["offset"], body["totalResults"]) == (10, True, 0, 25)
    assert body["links"] == [
        {"rel": "next", "href": f"{url}?limit=10&offset=10"},
        {"rel": "last", "href": f"{url}?limit=10&offset=20"},
        {"rel": "self", "href": f"{url}?limit=10&offset=0"},
    ]


def test_links_lead_through_all_rows_and_back(client: httpx.Client) -> None:
    seen: list[str] = []
    page = ask(client, limit=10).json()
    while True:
        seen += [item["id"] for item in page["items"]]
        links = {link["rel"]: link["href"] for link in page["links"]}
        if "next" not in links:
            break
        page = client.post(links["next"], json={"q": IDS}, headers={"Prefer": "transient"}).json()
    assert seen == [str(key) for key in range(1, 26)]
    assert (page["count"], page["hasMore"]) == (5, False)
    assert links.keys() == {"last", "first", "previous", "self"}
    assert links["previous"].endswith("offset=10")


def test_an_answer_without_rows(client: httpx.Client) -> None:
    body = ask(client, "SELECT id FROM customer WHERE id = ?", params=[99]).json()
    assert (body["items"], body["count"], body["hasMore"], body["totalResults"]) == ([], 0, False, 0)
    assert [link["rel"] for link in body["links"]] == ["self"]


def test_the_page_is_a_thousand_rows_unless_asked_otherwise(server: NetSuiteServer, client: httpx.Client) -> None:
    for key in range(100, 1200):
        server.account.put("customer", {"id": key})
    assert ask(client).json()["count"] == 1000


@pytest.mark.parametrize(
    ("limit", "offset", "param"),
    [
        ("0", "0", "limit"),
        ("1001", "0", "limit"),
        ("ten", "0", "limit"),
        ("-1", "0", "limit"),
        ("10", "5", "offset"),
        ("10", "-10", "offset"),
        ("1000", "100000", "offset"),
        ("999", "99900", "offset"),
    ],
)
def test_windows_that_are_refused(client: httpx.Client, limit: str, offset: str, param: str) -> None:
    window = {"limit": limit, "offset": offset}
    reply = client.post(SUITEQL, params=window, json={"q": IDS}, headers={"Prefer": "transient"})
    assert error(reply)[:2] == (400, "INVALID_PARAMETER")
    assert reply.json()["o:errorDetails"][0]["o:errorQueryParam"] == param


def test_the_last_window_that_is_allowed(client: httpx.Client) -> None:
    assert ask(client, limit=1000, offset=99_000).json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "application/json", "Prefer": "respond-async"},
        {"Content-Type": "text/plain", "Prefer": "transient"},
        {"Prefer": "transient"},
    ],
)
def test_both_headers_are_required(client: httpx.Client, headers: dict[str, str]) -> None:
    reply = client.post(SUITEQL, content=b'{"q": "SELECT id FROM customer"}', headers=headers)
    assert error(reply)[:2] == (400, "INVALID_HEADER")


@pytest.mark.parametrize("body", [b"", b"SELECT id FROM customer", b"[]", b'{"query": "x"}', b'{"q":"x","params":{}}'])
def test_bodies_that_are_refused(client: httpx.Client, body: bytes) -> None:
    headers = {"Prefer": "transient", "Content-Type": "application/json; charset=utf-8"}
    assert error(client.post(SUITEQL, content=body, headers=headers))[:2] == (400, "INVALID_CONTENT")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT id FROM invoice", "Search error occurred: Record 'invoice' was not found."),
        ("SELECT balance FROM customer", "Search error occurred: Unknown identifier 'balance'."),
        ("SELECT id FROM", "Invalid or unsupported search."),
        ("DELETE FROM customer", "Invalid or unsupported search. Only SELECT is allowed."),
    ],
)
def test_queries_that_are_refused(client: httpx.Client, query: str, reason: str) -> None:
    reply = ask(client, query)
    assert error(reply)[:2] == (400, "INVALID_PARAMETER")
    assert error(reply)[2].startswith(f"Invalid search query. Detailed unprocessed description follows. {reason}")
    assert reply.json()["title"] == "Bad Request"
    assert reply.json()["o:errorDetails"][0]["o:errorQueryParam"] == "q"


def test_without_a_token_there_is_no_answer(server: NetSuiteServer) -> None:
    for headers in ({}, {"Authorization": "Bearer stale"}, {"Authorization": "Basic YTpi"}):
        with httpx.Client(base_url=server.url, headers=headers, verify=TLS) as stranger:
            assert error(ask(stranger))[:2] == (401, "INVALID_LOGIN")
            assert stranger.get(f"{RECORD}/customer/1").status_code == 401


def test_a_forbidden_table_reads_as_not_found_everywhere(server: NetSuiteServer, client: httpx.Client) -> None:
    server.account.forbid("customer")
    assert "Record 'customer' was not found" in error(ask(client))[2]
    assert client.get(f"{RECORD}/customer/1").status_code == 404
    assert client.get(f"{RECORD}/metadata-catalog/customer").status_code == 404


def test_one_request_more_than_the_pool_is_refused(server: NetSuiteServer, client: httpx.Client) -> None:
    with ThreadPoolExecutor(3) as pool:
        with server.held():
            inside = [pool.submit(ask, client) for _ in range(3)]
            server.wait_in_flight(3)
            refused = ask(client)
        answered = [future.result(DEADLINE_S) for future in inside]
    assert error(refused) == (
        429,
        "CONCURRENCY_LIMIT_EXCEEDED",
        "Concurrent request limit exceeded. Request blocked.",
    )
    assert refused.json()["o:errorCode"] == "USER_ERROR"
    assert refused.json()["title"] == "Too Many Requests"
    assert [reply.status_code for reply in answered] == [200, 200, 200]
    assert ask(client).status_code == 200
    assert server.concurrency_refusals == 1
    assert server.requests == {"token": 1, "suiteql": 5}


def test_a_page_of_the_gateway_or_an_error_id_where_the_account_fails(
    server: NetSuiteServer, client: httpx.Client
) -> None:
    server.fail_next(1, 500)
    server.fail_next(2, 503)
    status, code, detail = error(ask(client))
    assert (status, code) == (500, "UNEXPECTED_ERROR")
    assert "Error ID: " in detail
    for _ in range(2):
        reply = ask(client)
        assert (reply.status_code, reply.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert ask(client).status_code == 200


def test_a_record_comes_with_typed_values(server: NetSuiteServer, client: httpx.Client) -> None:
    invoice = {"id": 5, "type": "CustInvc", "entity": 7, "posting": True, "foreigntotal": "100.5"}
    server.account.put("transaction", {**invoice, "trandate": date(2026, 11, 1)})
    body = client.get(f"{RECORD}/invoice/5").json()
    assert body == {
        "links": [{"rel": "self", "href": f"{server.url}{RECORD}/invoice/5"}],
        "id": "5",
        "type": "CustInvc",
        "entity": {"id": "7"},
        "posting": True,
        "foreigntotal": 100.5,
        "trandate": "2026-11-01",
        "lastmodifieddate": NOON.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@pytest.mark.parametrize("path", ["customer/999", "customer/x", "creditmemo/5", "nosuch/1", "transactionline/1"])
def test_a_record_that_is_not_there(server: NetSuiteServer, client: httpx.Client, path: str) -> None:
    server.account.put("transaction", {"id": 5, "type": "CustInvc"})
    assert error(client.get(f"{RECORD}/{path}"))[:2] == (404, "NONEXISTENT_ID")


def test_the_catalogue_lists_fields_and_also_those_that_no_query_knows(client: httpx.Client) -> None:
    reply = client.get(f"{RECORD}/metadata-catalog/customer")
    assert reply.headers["content-type"] == "application/schema+json"
    properties = reply.json()["properties"]
    assert properties["lastmodifieddate"]["format"] == "date-time"
    assert properties["isperson"]["type"] == "boolean"
    assert properties["balance"]["type"] == "number"
    assert error(ask(client, "SELECT balance FROM customer"))[0] == 400


def test_stopped_and_started_again_it_listens_at_the_same_address(server: NetSuiteServer, client: httpx.Client) -> None:
    assert ask(client).status_code == 200
    url = server.url
    server.stop()
    with pytest.raises(httpx.TransportError):
        ask(client)
    assert server.start() == url
    assert ask(client).status_code == 200
