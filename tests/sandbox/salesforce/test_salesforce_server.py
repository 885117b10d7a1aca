import base64
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.salesforce import SalesforceOrg, SalesforceServer, make_id
from tests.tls import TLS

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
CREDENTIALS = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}


Start = Callable[..., SalesforceServer]


@pytest.fixture
def now() -> list[datetime]:
    return [NOON]


@pytest.fixture
def org(now: list[datetime]) -> SalesforceOrg:
    org = SalesforceOrg(lambda: now[0])
    org.define("Account", {"Name": "string", "Amount__c": "currency", "Parent__c": "reference(Account)"})
    for n in range(10):
        org.put("Account", {"Name": f"name {n}", "Amount__c": Decimal(n)})
    return org


@pytest.fixture
def start(org: SalesforceOrg) -> Iterator[Start]:
    running: list[SalesforceServer] = []

    def started(**settings: Any) -> SalesforceServer:
        server = SalesforceServer(org, client_id="id", client_secret="secret", **settings)
        server.start()
        running.append(server)
        return server

    yield started
    for server in running:
        server.stop()


def logged_in(server: SalesforceServer, version: str = "68.0") -> httpx.Client:
    reply = httpx.post(f"{server.url}/services/oauth2/token", data=CREDENTIALS, verify=TLS).json()
    headers = {"Authorization": f"Bearer {reply['access_token']}"}
    return httpx.Client(base_url=f"{server.url}/services/data/v{version}/", headers=headers, verify=TLS)


def error_of(reply: httpx.Response) -> tuple[int, str]:
    [error] = reply.json()
    assert set(error) == {"message", "errorCode", "fields"}
    return reply.status_code, error["errorCode"]


def soql(client: httpx.Client, text: str, resource: str = "query", **headers: str) -> Any:
    reply = client.get(resource, params={"q": text}, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_token_reply(start: Start) -> None:
    server = start()
    reply = httpx.post(f"{server.url}/services/oauth2/token", data=CREDENTIALS, verify=TLS).json()
    assert reply["token_type"] == "Bearer"
    assert reply["instance_url"] == server.url
    assert reply["issued_at"] == str(int(NOON.timestamp() * 1000))
    assert reply["id"].startswith(server.url + "/id/00D")
    assert len(base64.b64decode(reply["signature"])) == 32


def test_a_login_by_basic_header(start: Start) -> None:
    url = f"{start().url}/services/oauth2/token"
    grant = {"grant_type": "client_credentials"}
    assert httpx.post(url, verify=TLS, data=grant, auth=("id", "secret")).status_code == 200
    assert httpx.post(url, verify=TLS, data=grant, auth=("id", "wrong")).status_code == 400
    assert httpx.post(url, verify=TLS, data=grant, headers={"Authorization": "Basic ???"}).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client_id"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
    ],
)
def test_a_login_that_is_refused(start: Start, change: dict[str, str], error: str) -> None:
    reply = httpx.post(f"{start().url}/services/oauth2/token", data=CREDENTIALS | change, verify=TLS)
    assert (reply.status_code, reply.json()["error"]) == (400, error)
    assert reply.json()["error_description"]


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic aWQ6c2VjcmV0"])
def test_without_a_session_nothing_is_answered(start: Start, authorization: str) -> None:
    url = f"{start().url}/services/data/v68.0"
    headers = {"Authorization": authorization}
    for path in ("query?q=SELECT+Id+FROM+Account", "query/01g", "sobjects", "limits", "nothing"):
        assert error_of(httpx.get(f"{url}/{path}", headers=headers, verify=TLS)) == (401, "INVALID_SESSION_ID")


def test_a_session_ends_when_idle_and_when_revoked(start: Start, now: list[datetime]) -> None:
    server = start()
    with logged_in(server) as client:
        for _ in range(3):
            now[0] += timedelta(hours=2)
            assert client.get("limits").status_code == 200
        now[0] += timedelta(hours=2, seconds=1)
        assert error_of(client.get("limits")) == (401, "INVALID_SESSION_ID")
    with logged_in(server) as client:
        server.expire_sessions()
        assert error_of(client.get("limits")) == (401, "INVALID_SESSION_ID")


def test_versions_are_public(start: Start) -> None:
    versions = httpx.get(f"{start().url}/services/data/", verify=TLS).json()
    assert versions[-1] == {"label": "v68.0", "url": "/services/data/v68.0", "version": "68.0"}


def test_other_versions_do_not_exist(start: Start) -> None:
    server = start()
    for version in ("30.0", "69.0", "68.1", "68", "x"):
        with logged_in(server, version) as client:
            assert error_of(client.get("limits")) == (404, "NOT_FOUND")


def test_unknown_paths_and_methods(start: Start) -> None:
    server = start()
    with logged_in(server) as client:
        assert error_of(client.get("nothing/here")) == (404, "NOT_FOUND")
        assert error_of(client.get("sobjects/Nothing/describe")) == (404, "NOT_FOUND")
        assert error_of(client.get(f"sobjects/Account/{make_id('001', 999)}")) == (404, "NOT_FOUND")
        assert error_of(client.post("query")) == (405, "METHOD_NOT_ALLOWED")
        assert error_of(client.get(server.url + "/elsewhere")) == (404, "NOT_FOUND")


def test_a_query_in_one_page(start: Start) -> None:
    with logged_in(start()) as client:
        reply = soql(client, "SELECT Id, Name, Amount__c FROM Account WHERE Amount__c = 7", "query/")
    key = make_id("001", 8)
    url = f"/services/data/v68.0/sobjects/Account/{key}"
    record = {"attributes": {"type": "Account", "url": url}, "Id": key, "Name": "name 7", "Amount__c": 7.0}
    assert reply == {"totalSize": 1, "done": True, "records": [record]}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
        ("SELECT Foo FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Foo", "INVALID_TYPE"),
    ],
)
def test_a_query_that_is_refused(start: Start, text: str, code: str) -> None:
    with logged_in(start()) as client:
        assert error_of(client.get("query", params={"q": text})) == (400, code)


def test_a_plus_that_was_not_encoded_is_a_malformed_query(start: Start) -> None:
    with logged_in(start()) as client:
        encoded = client.get("query?q=SELECT%20Id%20FROM%20Account%20WHERE%20CreatedDate%3E2026-01-01T00:00:00%2B00:00")
        plain = client.get("query?q=SELECT%20Id%20FROM%20Account%20WHERE%20CreatedDate%3E2026-01-01T00:00:00+00:00")
    assert encoded.status_code == 200
    assert error_of(plain) == (400, "MALFORMED_QUERY")


def test_pages_are_of_the_snapshot_that_the_query_saw(start: Start, org: SalesforceOrg) -> None:
    server = start(page_size=4)
    with logged_in(server) as client:
        first = soql(client, "SELECT Id, Name FROM Account ORDER BY Name")
        org.put("Account", {"Name": "name 55"})
        org.put("Account", {"Id": first["records"][0]["Id"], "Name": "changed"})
        org.purge("Account", make_id("001", 9))
        names, page, sizes = [row["Name"] for row in first["records"]], first, [len(first["records"])]
        while not page["done"]:
            page = client.get(server.url + page["nextRecordsUrl"]).json()
            names += [row["Name"] for row in page["records"]]
            sizes.append(len(page["records"]))
    assert names == [f"name {n}" for n in range(10)]
    assert sizes == [4, 4, 2]
    assert "nextRecordsUrl" not in page
    assert page["totalSize"] == 10


def test_a_locator_works_once_and_for_two_days(start: Start, now: list[datetime]) -> None:
    server = start(page_size=4)
    with logged_in(server) as client:
        url = server.url + soql(client, "SELECT Id FROM Account")["nextRecordsUrl"]
        assert url.endswith("-4")
        assert client.get(url).status_code == 200
        assert error_of(client.get(url)) == (400, "INVALID_QUERY_LOCATOR")
        assert error_of(client.get("query/01g000000000000AAA-2000")) == (400, "INVALID_QUERY_LOCATOR")
        late = server.url + soql(client, "SELECT Id FROM Account")["nextRecordsUrl"]
    now[0] += timedelta(days=2, seconds=1)
    with logged_in(server) as client:
        assert error_of(client.get(late)) == (400, "INVALID_QUERY_LOCATOR")


def test_the_batch_size_is_a_wish_within_bounds(start: Start, org: SalesforceOrg) -> None:
    for n in range(2_500):
        org.put("Account", {"Name": f"more {n}"})
    sizes: dict[str, int] = {}
    with logged_in(start()) as client:
        for wish in ("batchSize=500", "batchSize=1", "batchSize=9999", "nonsense"):
            page = soql(client, "SELECT Id FROM Account", **{"Sforce-Query-Options": wish})
            sizes[wish] = len(page["records"])
    assert sizes == {"batchSize=500": 500, "batchSize=1": 200, "batchSize=9999": 2_000, "nonsense": 2_000}


def test_query_all_shows_what_is_in_the_recycle_bin(start: Start, org: SalesforceOrg) -> None:
    org.remove("Account", make_id("001", 1))
    server = start(page_size=6)
    with logged_in(server) as client:
        assert soql(client, "SELECT Id FROM Account")["totalSize"] == 9
        page = soql(client, "SELECT Id, IsDeleted FROM Account ORDER BY IsDeleted", "queryAll")
        rest = client.get(server.url + page["nextRecordsUrl"]).json()
    assert page["totalSize"] == 10
    assert rest["records"][-1]["IsDeleted"] is True


def test_describe(start: Start) -> None:
    with logged_in(start()) as client:
        described = client.get("sobjects/account/describe/").json()
        listed = client.get("sobjects/").json()["sobjects"]
    assert (described["name"], described["keyPrefix"], described["custom"]) == ("Account", "001", False)
    fields = {field["name"]: field for field in described["fields"]}
    assert list(fields)[:5] == ["Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp"]
    assert (fields["Id"]["type"], fields["Id"]["length"], fields["Id"]["nillable"]) == ("id", 18, False)
    assert (fields["Name"]["type"], fields["Name"]["length"], fields["Name"]["nillable"]) == ("string", 255, True)
    assert (fields["Amount__c"]["type"], fields["Amount__c"]["label"]) == ("currency", "Amount")
    assert fields["Parent__c"]["referenceTo"] == ["Account"]
    assert fields["Parent__c"]["relationshipName"] == "Parent__r"
    assert [entry["name"] for entry in listed] == ["Account"]


def test_a_removed_field_breaks_the_query_and_leaves_the_describe(start: Start, org: SalesforceOrg) -> None:
    with logged_in(start()) as client:
        org.define("Account", {"Name": "string"})
        assert error_of(client.get("query", params={"q": "SELECT Amount__c FROM Account"})) == (400, "INVALID_FIELD")
        assert "Amount__c" not in client.get("sobjects/Account/describe").text


def test_retrieve(start: Start, org: SalesforceOrg) -> None:
    key = make_id("001", 3)
    with logged_in(start()) as client:
        record = client.get(f"sobjects/Account/{key[:15]}").json()
        org.remove("Account", key)
        assert error_of(client.get(f"sobjects/Account/{key}")) == (404, "ENTITY_IS_DELETED")
    assert record["Id"] == key
    assert record["Parent__c"] is None
    assert record["SystemModstamp"] == "2026-05-07T12:00:00.000+0000"


def test_deleted(start: Start, org: SalesforceOrg, now: list[datetime]) -> None:
    key = make_id("001", 2)
    org.remove("Account", key)
    now[0] += timedelta(minutes=10, seconds=20)
    window = {"start": "2026-05-07T11:00:00Z", "end": "2026-05-07T14:10:00+02:00"}
    with logged_in(start()) as client:
        reply = client.get("sobjects/Account/deleted/", params=window).json()
        assert error_of(client.get("sobjects/Nothing/deleted/", params=window)) == (404, "NOT_FOUND")
    assert reply == {
        "deletedRecords": [{"id": key, "deletedDate": "2026-05-07T12:00:00.000+0000"}],
        "earliestDateAvailable": "2026-04-22T12:10:20.000+0000",
        "latestDateCovered": "2026-05-07T12:10:00.000+0000",
    }


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"start": "2026-05-07T11:00:00Z", "end": "yesterday"},
        {"start": "2026-05-07T11:00:00", "end": "2026-05-07T12:00:00"},
        {"start": "2026-05-07T11:00:00Z", "end": "2026-05-07T11:01:00Z"},
        {"start": "2026-05-07T12:00:00Z", "end": "2026-05-07T11:00:00Z"},
    ],
)
def test_a_window_of_deletions_that_is_refused(start: Start, window: dict[str, str]) -> None:
    with logged_in(start()) as client:
        reply = client.get("sobjects/Account/deleted", params=window)
    assert error_of(reply) == (400, "INVALID_REPLICATION_DATE")


def test_the_quota_is_told_and_enforced_for_a_day(start: Start, now: list[datetime]) -> None:
    server = start(daily_limit=2)
    with logged_in(server) as client:
        reply = client.get("limits")
        assert reply.headers["Sforce-Limit-Info"] == "api-usage=1/2"
        assert reply.json()["DailyApiRequests"] == {"Max": 2, "Remaining": 1}
        assert soql(client, "SELECT Id FROM Account")["totalSize"] == 10
        refused = client.get("limits")
        assert error_of(refused) == (403, "REQUEST_LIMIT_EXCEEDED")
        assert refused.headers["Sforce-Limit-Info"] == "api-usage=2/2"
    now[0] += timedelta(hours=24)
    with logged_in(server) as client:
        assert client.get("limits").json()["DailyApiRequests"]["Remaining"] == 1


def test_requests_are_counted_by_kind(start: Start) -> None:
    server = start(page_size=6)
    with logged_in(server) as client:
        client.get(server.url + soql(client, "SELECT Id FROM Account")["nextRecordsUrl"])
        client.get("sobjects/Account/describe")
        client.get("nothing")
    assert server.requests == {"token": 1, "query": 1, "query_more": 1, "describe": 1, "other": 1}
    assert server.requests.total() == 5


def test_injected_faults(start: Start) -> None:
    server = start()
    with logged_in(server) as client:
        server.fail_next(1, 503)
        server.fail_next(2, 400, "QUERY_TIMEOUT")
        page = client.get("limits")
        assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (503, "text/html")
        assert [error_of(client.get("limits")) for _ in range(2)] == [(400, "QUERY_TIMEOUT")] * 2
        assert client.get("limits").status_code == 200


def test_a_restarted_server_keeps_its_port_and_sessions(start: Start) -> None:
    server = start()
    with logged_in(server) as client:
        server.stop()
        with pytest.raises(httpx.TransportError):
            client.get("limits")
        server.start()
        assert client.get("limits").status_code == 200


def test_queries_see_whole_writes_while_others_write(start: Start, org: SalesforceOrg) -> None:
    keys = [make_id("001", n) for n in range(1, 11)]
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            for key in keys:
                org.put("Account", {"Id": key, "Name": f"{number}", "Amount__c": Decimal(number)})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with logged_in(start()) as client:
            for _ in range(30):
                rows = soql(client, "SELECT Name, Amount__c FROM Account ORDER BY Id")["records"]
                versions = [int(row["Amount__c"]) for row in rows if not row["Name"].startswith("name")]
                assert all(int(row["Name"]) == row["Amount__c"] for row in rows if not row["Name"].startswith("name"))
                assert versions == sorted(versions, reverse=True)
    finally:
        done.set()
        writer.join()
