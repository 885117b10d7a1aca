"""Bulk query jobs of the simulator, by plain requests: what it serves and what it refuses."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.salesforce import SalesforceOrg, SalesforceServer, make_id
from tests.tls import TLS

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
JOBS = "/services/data/v67.0/jobs/query"


@pytest.fixture
def now() -> list[datetime]:
    return [NOON]


@pytest.fixture
def org(now: list[datetime]) -> SalesforceOrg:
    org = SalesforceOrg(lambda: now[0])
    org.define("Account", {"Name": "string", "Seats__c": "int", "Paid__c": "currency", "Logo__c": "base64"})
    for n in range(5):
        org.put("Account", {"Name": f"name {n}" if n else None, "Seats__c": n, "Paid__c": Decimal("1.50")})
    return org


@pytest.fixture
def server(org: SalesforceOrg) -> Iterator[SalesforceServer]:
    with SalesforceServer(org, client_id="id", client_secret="secret") as server:
        yield server


@pytest.fixture
def client(server: SalesforceServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, verify=TLS) as client:
        reply = client.post("/services/oauth2/token", data={"grant_type": "client_credentials"}, auth=("id", "secret"))
        client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        yield client


def _created(client: httpx.Client, soql: str = "SELECT Id, Name FROM Account", **more: Any) -> dict[str, Any]:
    reply = client.post(JOBS, json={"operation": "query", "query": soql, **more})
    assert reply.status_code == 200, reply.text
    said: dict[str, Any] = reply.json()
    return said


def _finished(client: httpx.Client, soql: str = "SELECT Id, Name FROM Account", **more: Any) -> str:
    job: str = _created(client, soql, **more)["id"]
    while client.get(f"{JOBS}/{job}").json()["state"] != "JobComplete":
        pass
    return job


def _refused(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()[0]["errorCode"]


def test_a_job_advances_as_it_is_polled(client: httpx.Client, server: SalesforceServer) -> None:
    server.bulk.polls = 2
    job = _created(client)
    assert (job["state"], job["object"], job["id"][:3]) == ("UploadComplete", "Account", "750")
    states = [client.get(f"{JOBS}/{job['id']}").json() for _ in range(4)]
    assert [said["state"] for said in states] == ["InProgress", "InProgress", "JobComplete", "JobComplete"]
    assert [said["numberRecordsProcessed"] for said in states] == [0, 0, 5, 5]


def test_results_come_page_by_page_and_again(client: httpx.Client) -> None:
    job = _finished(client)
    first = client.get(f"{JOBS}/{job}/results", params={"maxRecords": 2})
    assert first.headers["Sforce-NumberOfRecords"] == "2"
    locator = first.headers["Sforce-Locator"]
    second = client.get(f"{JOBS}/{job}/results", params={"maxRecords": 2, "locator": locator})
    again = client.get(f"{JOBS}/{job}/results", params={"maxRecords": 2, "locator": locator})
    assert second.content == again.content != first.content
    last = client.get(f"{JOBS}/{job}/results", params={"maxRecords": 2, "locator": second.headers["Sforce-Locator"]})
    assert (last.headers["Sforce-Locator"], last.headers["Sforce-NumberOfRecords"]) == ("null", "1")
    rows = [row for page in (first, second, last) for row in list(csv.reader(io.StringIO(page.text)))[1:]]
    assert sorted(row[0] for row in rows) == [make_id("001", n) for n in range(1, 6)]


def test_pages_to_be_read_in_parallel(client: httpx.Client) -> None:
    job = _finished(client)
    said = client.get(f"{JOBS}/{job}/resultPages", params={"maxRecords": 2}).json()
    assert (len(said["resultPages"]), said["done"]) == (3, True)
    counts = [client.get(page["resultUrl"]).headers["Sforce-NumberOfRecords"] for page in said["resultPages"]]
    assert counts == ["2", "2", "1"]


def test_the_oddities_of_its_csv(client: httpx.Client, server: SalesforceServer) -> None:
    server.bulk.null_bytes = True
    job = _finished(client, "SELECT Name, Seats__c, Paid__c, IsDeleted, CreatedDate FROM Account ORDER BY Seats__c")
    text = client.get(f"{JOBS}/{job}/results").text
    assert text.splitlines()[:3] == [
        '"Name","Seats__c","Paid__c","IsDeleted","CreatedDate"',
        '"","0.0","1.5","false","2026-05-07T12:00:00.000Z"',
        '"name 1\0","1.0","1.5","false","2026-05-07T12:00:00.000Z"',
    ]


def test_delimiters_line_endings_and_query_all(client: httpx.Client, org: SalesforceOrg) -> None:
    org.remove("Account", make_id("001", 2))
    job = _finished(client, operation="queryAll", columnDelimiter="PIPE", lineEnding="CRLF")
    content = client.get(f"{JOBS}/{job}/results").content
    assert content.count(b"\r\n") == 6
    assert b'"Id"|"Name"' in content


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"operation": "insert", "query": "SELECT Id FROM Account"}, "INVALIDJOB"),
        ({"operation": "query"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM Account", "contentType": "JSON"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM Account", "speed": "high"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT COUNT() FROM Account"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM Account LIMIT 2 OFFSET 1"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id, Logo__c FROM Account"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Nmae FROM Account"}, "INVALID_FIELD"),
        ({"operation": "query", "query": "SELECT Id FROM Gone__c"}, "INVALID_TYPE"),
        ({"operation": "query", "query": "SELECT FROM Account"}, "MALFORMED_QUERY"),
        (["query"], "JSON_PARSER_ERROR"),
    ],
)
def test_jobs_that_are_not_taken(client: httpx.Client, said: Any, code: str) -> None:
    assert _refused(client.post(JOBS, content=json.dumps(said))) == (400, code)


def test_what_a_job_in_the_wrong_state_refuses(client: httpx.Client) -> None:
    job = _created(client)["id"]
    assert _refused(client.get(f"{JOBS}/{job}/results")) == (400, "INVALIDJOBSTATE")
    assert _refused(client.delete(f"{JOBS}/{job}")) == (400, "INVALIDJOBSTATE")
    assert _refused(client.patch(f"{JOBS}/{job}", json={"state": "Open"})) == (400, "INVALIDJOB")
    assert client.patch(f"{JOBS}/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert _refused(client.patch(f"{JOBS}/{job}", json={"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
    assert client.delete(f"{JOBS}/{job}").status_code == 204
    assert _refused(client.get(f"{JOBS}/{job}")) == (404, "NOT_FOUND")


def test_another_version_an_old_job_and_a_strange_locator(client: httpx.Client, now: list[datetime]) -> None:
    job = _finished(client)
    assert client.get(f"{JOBS.replace('67', '68')}/{job}").status_code == 409
    for wrong in ({"locator": "MTAfff"}, {"locator": "x"}, {"maxRecords": "0"}):
        assert client.get(f"{JOBS}/{job}/results", params=wrong).status_code == 400
    now[0] += timedelta(hours=1)
    assert client.get(JOBS).json()["records"][0]["id"] == job
    now[0] += timedelta(days=7)
    assert client.get(f"{JOBS}/{job}").status_code in (401, 404)


def test_a_job_needs_a_session(client: httpx.Client, server: SalesforceServer) -> None:
    server.expire_sessions()
    said = {"operation": "query", "query": "SELECT Id FROM Account"}
    assert _refused(client.post(JOBS, json=said)) == (401, "INVALID_SESSION_ID")


def test_the_jobs_of_a_day(client: httpx.Client, server: SalesforceServer, now: list[datetime]) -> None:
    server.limit_bulk_jobs(2)
    _created(client)
    _created(client)
    said = {"operation": "query", "query": "SELECT Id FROM Account"}
    assert _refused(client.post(JOBS, json=said)) == (400, "EXCEEDED_QUOTA")
    limits = client.get("/services/data/v67.0/limits").json()
    assert limits["DailyBulkV2QueryJobs"] == {"Max": 2, "Remaining": 0}
    for _ in range(25):
        now[0] += timedelta(hours=1)
        client.get("/services/data/v67.0/limits")
    _created(client)


def test_failures_and_counts_on_demand(client: httpx.Client, server: SalesforceServer) -> None:
    server.bulk.fail_next("it was not to be")
    job = _created(client)["id"]
    client.get(f"{JOBS}/{job}")
    said = client.get(f"{JOBS}/{job}").json()
    assert (said["state"], said["errorMessage"]) == ("Failed", "it was not to be")
    server.bulk.miscount_next(3)
    assert client.get(f"{JOBS}/{_finished(client)}").json()["numberRecordsProcessed"] == 8
    assert client.get(f"{JOBS}/{_finished(client)}").json()["numberRecordsProcessed"] == 5


def test_counts_usage_and_hidden_things(client: httpx.Client, server: SalesforceServer, org: SalesforceOrg) -> None:
    org.define("Empty__c", {})
    org.remove("Account", make_id("001", 1))
    said = client.get("/services/data/v67.0/limits/recordCount", params={"sObjects": "Account,Gone__c"})
    assert said.json() == {"sObjects": [{"count": 4, "name": "Account"}]}
    assert len(client.get("/services/data/v67.0/limits/recordCount").json()["sObjects"]) == 2
    assert said.headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    org.hide("Account", "Name")
    query = "/services/data/v67.0/query"
    assert _refused(client.get(query, params={"q": "SELECT Name FROM Account"})) == (400, "INVALID_FIELD")
    described = client.get("/services/data/v67.0/sobjects/Account/describe").json()
    assert "Name" not in {field["name"] for field in described["fields"]}
    assert "Name" not in client.get(f"/services/data/v67.0/sobjects/Account/{make_id('001', 2)}").json()
    org.hide("Account")
    assert _refused(client.get(query, params={"q": "SELECT Id FROM Account"})) == (400, "INVALID_TYPE")
    assert server.over_limit == 0


def test_the_limit_of_an_app(org: SalesforceOrg) -> None:
    with SalesforceServer(org, client_id="id", client_secret="secret", app_limit=1) as server:
        login = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
        token = httpx.post(f"{server.url}/services/oauth2/token", data=login, verify=TLS).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        said = httpx.get(f"{server.url}/services/data/v67.0/limits", headers=headers, verify=TLS)
        assert said.headers["Sforce-Limit-Info"] == "api-usage=1/100000; per-app-api-usage=1/1(appName=tieout)"
        assert _refused(httpx.get(f"{server.url}/services/data/v67.0/limits", headers=headers, verify=TLS)) == (
            403,
            "REQUEST_LIMIT_EXCEEDED",
        )
        assert server.over_limit == 1
