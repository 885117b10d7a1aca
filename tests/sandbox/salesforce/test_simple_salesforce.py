"""The widely used client against the simulator: what it expects of Salesforce, the simulator must give."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce, SFType
from simple_salesforce.bulk2 import SFBulk2Handler
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from sandbox.netsuite import make_key_pair
from sandbox.salesforce import SalesforceOrg, SalesforceServer, make_id

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
PRIVATE, PUBLIC = make_key_pair("PS256")  # an RSA key


class ToSimulator(HTTPAdapter):
    """Sends whatever is addressed to https://anything to the simulator; the client knows no other scheme."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._netloc = urlsplit(url).netloc

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked = urlsplit(str(request.url))
        request.url = urlunsplit(("http", self._netloc, asked.path, asked.query, ""))
        kwargs["timeout"] = kwargs.get("timeout") or 10
        return super().send(request, *args, **kwargs)


@pytest.fixture
def now() -> list[datetime]:
    return [NOON]


@pytest.fixture
def org(now: list[datetime]) -> SalesforceOrg:
    org = SalesforceOrg(lambda: now[0])
    org.define("Account", {"Name": "string"})
    for n in range(7):
        org.put("Account", {"Name": f"name {n}"})
    return org


@pytest.fixture
def server(org: SalesforceOrg) -> Iterator[SalesforceServer]:
    with SalesforceServer(org, client_id="id", client_secret="secret", page_size=3, daily_limit=40) as server:
        yield server


@pytest.fixture
def session(server: SalesforceServer) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount("https://", ToSimulator(server.url))
        yield session


def login(session: requests.Session, secret: str = "secret") -> Salesforce:
    return Salesforce(consumer_key="id", consumer_secret=secret, domain="acme.my", version="68.0", session=session)


def sobject(client: Salesforce, name: str) -> SFType:
    found = getattr(client, name)
    assert isinstance(found, SFType)
    return found


def test_login_by_client_credentials(session: requests.Session) -> None:
    assert login(session).query("SELECT Name FROM Account WHERE Name = 'name 3'")["totalSize"] == 1
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        login(session, secret="wrong")


def test_login_by_jwt_bearer() -> None:
    """The client signs by the machine's clock, so that the org lives in it too."""
    org = SalesforceOrg(lambda: datetime.now(UTC))
    org.define("Account", {"Name": "string"})
    with (
        SalesforceServer(org, client_id="id", public_key_pem=PUBLIC, username="a@acme.test") as server,
        requests.Session() as session,
    ):
        session.mount("https://", ToSimulator(server.url))
        given: dict[str, Any] = {"consumer_key": "id", "privatekey": PRIVATE, "version": "68.0", "session": session}
        client = Salesforce(username="a@acme.test", domain="test", **given)
        assert client.query("SELECT Id FROM Account")["totalSize"] == 0
        server.expire_sessions()
        assert client.query("SELECT Id FROM Account")["totalSize"] == 0
        with pytest.raises(SalesforceAuthenticationFailed, match="audience is invalid"):
            Salesforce(username="a@acme.test", domain="elsewhere", **given)
        with pytest.raises(SalesforceAuthenticationFailed, match="client identifier invalid"):
            Salesforce(username="a@acme.test", **{**given, "consumer_key": "other"})


def test_bulk_query(session: requests.Session, server: SalesforceServer) -> None:
    client = login(session)
    server.bulk.null_bytes = True
    bulk = client.bulk2
    assert isinstance(bulk, SFBulk2Handler)
    pages = [str(page) for page in bulk.Account.query("SELECT Id, Name FROM Account", max_records=3, wait=0)]
    assert [page.count("name ") for page in pages] == [3, 3, 1]
    assert "\0" not in "".join(pages)
    server.bulk.fail_next("not today")
    with pytest.raises(SalesforceOperationError, match="not today"):
        list(bulk.Account.query("SELECT Id FROM Account", wait=0))


def test_query_and_query_more(session: requests.Session) -> None:
    client = login(session)
    page = client.query("SELECT Name FROM Account ORDER BY Name")
    names = [row["Name"] for row in page["records"]]
    while not page["done"]:
        page = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        names += [row["Name"] for row in page["records"]]
    assert names == [f"name {n}" for n in range(7)]
    by_locator = client.query("SELECT Name FROM Account")["nextRecordsUrl"].rpartition("/")[2]
    assert len(client.query_more(by_locator)["records"]) == 3


def test_query_all_and_usage(session: requests.Session, org: SalesforceOrg) -> None:
    org.remove("Account", make_id("001", 1))
    client = login(session)
    assert client.query_all("SELECT Id FROM Account")["totalSize"] == 6
    assert len(list(client.query_all_iter("SELECT Id FROM Account", include_deleted=True))) == 7
    usage = client.api_usage["api-usage"]
    assert (usage.used, usage.total) == (5, 40)
    assert client.limits()["DailyApiRequests"] == {"Max": 40, "Remaining": 34}


def test_describe_get_and_deleted(session: requests.Session, org: SalesforceOrg, now: list[datetime]) -> None:
    client = login(session)
    assert [field["name"] for field in sobject(client, "Account").describe()["fields"]][-1] == "Name"
    assert [entry["name"] for entry in (client.describe() or {})["sobjects"]] == ["Account"]
    assert sobject(client, "Account").get(make_id("001", 2))["Name"] == "name 1"
    org.remove("Account", make_id("001", 2))
    now[0] += timedelta(minutes=5)
    gone = sobject(client, "Account").deleted(NOON - timedelta(hours=1), now[0])
    assert [entry["id"] for entry in gone["deletedRecords"]] == [make_id("001", 2)]
    assert gone["latestDateCovered"] == "2026-05-07T12:05:00.000+0000"


def test_updated(session: requests.Session, org: SalesforceOrg, now: list[datetime]) -> None:
    client, since = login(session), NOON + timedelta(minutes=2)
    now[0] += timedelta(minutes=5)
    org.put("Account", {"Id": make_id("001", 3), "Name": "changed"})
    org.remove("Account", make_id("001", 2))
    told = sobject(client, "Account").updated(since, now[0] + timedelta(minutes=1))
    assert told == {"ids": [make_id("001", 3)], "latestDateCovered": "2026-05-07T12:05:00.000+0000"}
    with pytest.raises(SalesforceMalformedRequest, match="more than one minute"):
        sobject(client, "Account").updated(since, since)


def test_an_expired_session_is_renewed_by_the_client(session: requests.Session, server: SalesforceServer) -> None:
    client = login(session)
    server.expire_sessions()
    assert client.query("SELECT Id FROM Account")["totalSize"] == 7
    assert server.requests["token"] == 2


def test_refusals_become_the_exceptions_of_the_client(session: requests.Session) -> None:
    client = login(session)
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        client.query("SELECT Nmae FROM Account")
    with pytest.raises(SalesforceResourceNotFound):
        sobject(client, "Nothing").describe()
    for _ in range(38):
        client.limits()
    with pytest.raises(SalesforceRefusedRequest, match="REQUEST_LIMIT_EXCEEDED"):
        client.limits()
