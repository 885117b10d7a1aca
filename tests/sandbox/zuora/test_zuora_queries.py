from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.zuora import STANDARD_OBJECTS, ZuoraServer, ZuoraTenant, make_id

ROWS = 57


def ask(client: httpx.Client, text: str, **conf: object) -> Any:
    response = client.post("/v1/action/query", json={"queryString": text, "conf": conf})
    assert response.status_code == 200, response.text
    return response.json()


def more(client: httpx.Client, locator: str, **conf: object) -> httpx.Response:
    return client.post("/v1/action/queryMore", json={"queryLocator": locator, "conf": conf})


def walk(client: httpx.Client, text: str, batch: int) -> list[str]:
    page = ask(client, text, batchSize=batch)
    ids = [record["Id"] for record in page["records"]]
    while not page["done"]:
        assert len(page["records"]) == batch
        page = more(client, page["queryLocator"]).json()
        ids += [record["Id"] for record in page["records"]]
    assert "queryLocator" not in page
    assert page["size"] == len(ids)
    return ids


def test_a_record_looks_like_zuoras(client: httpx.Client, tenant: ZuoraTenant) -> None:
    tenant.define("Invoice", {"Region__c": "picklist"})
    identity = tenant.put(
        "Invoice",
        {
            "InvoiceNumber": "INV-1",
            "Amount": Decimal("20000.00"),
            "Balance": Decimal("0.10"),
            "InvoiceDate": date(2026, 11, 30),
            "PostedDate": datetime(2026, 7, 1, 6, 59, 59, 120000, tzinfo=UTC),
            "Reversed": False,
            "Region__c": "EMEA",
        },
    )
    fields = "InvoiceNumber, Amount, Balance, InvoiceDate, DueDate, PostedDate, UpdatedDate, Reversed, Region__c"
    response = client.post("/v1/action/query", json={"queryString": f"select {fields} from Invoice"})
    assert response.json(parse_float=Decimal) == {
        "size": 1,
        "done": True,
        "records": [
            {
                "Id": identity,
                "InvoiceNumber": "INV-1",
                "Amount": 20000,
                "Balance": Decimal("0.1"),
                "InvoiceDate": "2026-11-30",
                "PostedDate": "2026-06-30T22:59:59.120-08:00",
                "UpdatedDate": "2026-11-20T09:30:00.000-08:00",
                "Reversed": False,
                "Region__c": "EMEA",
            }
        ],
    }


def test_amounts_keep_every_digit(client: httpx.Client, tenant: ZuoraTenant) -> None:
    amounts = ("1000000000000.0001", "-0.00", "1E+3", "-1E-7", "123456789012345678901234567890.5")
    for amount in amounts:
        tenant.put("Account", {"Name": amount, "Balance": Decimal(amount)})
    query = {"queryString": "select Name, Balance from Account"}
    records = client.post("/v1/action/query", json=query).json(parse_float=Decimal)["records"]
    assert {Decimal(record["Name"]): record["Balance"] for record in records} == {
        Decimal(amount): Decimal(amount) for amount in amounts
    }


def test_instants_follow_the_tenants_summer_time(connect: Callable[[ZuoraTenant], httpx.Client]) -> None:
    tenant = ZuoraTenant(lambda: datetime(2026, 11, 20, tzinfo=UTC), ZoneInfo("America/Los_Angeles"))
    for month in (1, 7):
        tenant.put("Account", {"UpdatedDate": datetime(2026, month, 1, 12, 0, tzinfo=UTC)})
    client = connect(tenant)
    stamps = {record["UpdatedDate"] for record in ask(client, "select UpdatedDate from Account")["records"]}
    assert stamps == {"2026-01-01T04:00:00.000-08:00", "2026-07-01T05:00:00.000-07:00"}
    for stamp in stamps:
        assert ask(client, f"select Id from Account where UpdatedDate = '{stamp}'")["size"] == 1
    assert ask(client, "select Id from Account where UpdatedDate = '2026-07-01T05:00:00'")["size"] == 1


@pytest.fixture(scope="module")
def many(connect_once: Callable[[ZuoraTenant], httpx.Client]) -> httpx.Client:
    """A client of a tenant with usage records, for tests that only read."""
    tenant = ZuoraTenant(lambda: datetime(2026, 11, 20, tzinfo=UTC))
    for n in range(ROWS):
        tenant.put("Usage", {"Id": make_id("Usage", n), "Quantity": Decimal(n)})
    return connect_once(tenant)


@settings(deadline=None, max_examples=25)
@given(batch=st.integers(1, ROWS + 3), least=st.integers(0, ROWS))
def test_every_row_comes_exactly_once_for_any_page_size(many: httpx.Client, batch: int, least: int) -> None:
    ids = walk(many, f"select Quantity from Usage where Quantity >= {least}", batch)
    assert sorted(ids) == sorted(make_id("Usage", n) for n in range(least, ROWS))


def test_a_page_can_be_asked_for_twice(many: httpx.Client) -> None:
    locator = ask(many, "select Id from Usage", batchSize=20)["queryLocator"]
    assert more(many, locator).json() == more(many, locator).json()
    assert len(more(many, locator, batchSize=5).json()["records"]) == 5


def test_a_walk_sees_the_records_as_they_were_at_the_query(client: httpx.Client, tenant: ZuoraTenant) -> None:
    ids = [tenant.put("Account", {"Name": "before"}) for _ in range(4)]
    page = ask(client, "select Name from Account", batchSize=2)
    for identity in ids[:3]:
        tenant.put("Account", {"Id": identity, "Name": "after"})
    tenant.remove("Account", ids[3])
    tenant.put("Account", {"Name": "new"})
    rest = more(client, page["queryLocator"]).json()
    assert {r["Name"] for r in page["records"] + rest["records"]} == {"before"}
    assert {r["Id"] for r in page["records"] + rest["records"]} == set(ids)


def test_a_page_holds_what_the_server_allows(
    tenant: ZuoraTenant, log_in: Callable[[ZuoraServer], httpx.Client]
) -> None:
    for n in range(5):
        tenant.put("Account", {"BillCycleDay": n})
    with ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", page_size=2) as server:
        client = log_in(server)
        assert len(ask(client, "select Id from Account")["records"]) == 2
        assert len(ask(client, "select Id from Account", batchSize=5000)["records"]) == 2
        assert len(ask(client, "select Id from Account", batchSize=1)["records"]) == 1
    with pytest.raises(ValueError, match="between 1 and 2000"):
        ZuoraServer(tenant, client_id="i", client_secret="s", page_size=2001)


def test_a_locator_lives_fifteen_minutes_from_its_last_use(
    client: httpx.Client, tenant: ZuoraTenant, advance: Callable[[timedelta], None]
) -> None:
    for _ in range(3):
        tenant.put("Account", {})
    tenant.put("Account", {})
    locator = ask(client, "select Id from Account", batchSize=1)["queryLocator"]
    for _ in range(2):
        advance(timedelta(minutes=15))
        page = more(client, locator)
        assert page.status_code == 200
        locator = page.json()["queryLocator"]
    advance(timedelta(minutes=15, milliseconds=1))
    assert fault_of(more(client, locator)) == "INVALID_QUERY_LOCATOR"


@pytest.mark.parametrize("change", ["{}0", "{}", "{}x", "x{}20", "{}57", "{}²"])
def test_a_locator_that_was_not_given_out(many: httpx.Client, change: str) -> None:
    locator = ask(many, "select Id from Usage", batchSize=20)["queryLocator"]
    assert fault_of(more(many, change.format(locator.removesuffix("20")))) == "INVALID_QUERY_LOCATOR"


def fault_of(response: httpx.Response) -> str:
    assert response.status_code == 400
    body: dict[str, str] = response.json()
    assert set(body) == {"faultCode", "faultMessage"}
    return body["faultCode"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"queryString": "select * from Account"}, "MALFORMED_QUERY"),
        ({"queryString": "select Colour from Account"}, "INVALID_FIELD"),
        ({"queryString": "select Id from Spaceship"}, "INVALID_TYPE"),
        ({"queryString": "select Id from Account where Balance = 'x'"}, "INVALID_VALUE"),
        ({"queryString": "select Id from Account", "conf": {"batchSize": 0}}, "INVALID_VALUE"),
        ({"queryString": "select Id from Account", "conf": {"batchSize": "many"}}, "INVALID_VALUE"),
        ({}, "MISSING_REQUIRED_VALUE"),
    ],
)
def test_a_query_that_cannot_be_answered_is_a_fault(many: httpx.Client, body: dict[str, object], code: str) -> None:
    assert fault_of(many.post("/v1/action/query", json=body)) == code


def test_a_field_that_was_taken_away_is_a_fault_and_not_a_null(client: httpx.Client, tenant: ZuoraTenant) -> None:
    tenant.put("Account", {"CrmId": "001"})
    assert ask(client, "select CrmId from Account")["records"][0]["CrmId"] == "001"
    tenant.drop_field("Account", "CrmId")
    assert fault_of(client.post("/v1/action/query", json={"queryString": "select CrmId from Account"})) == (
        "INVALID_FIELD"
    )


def test_the_keys_of_a_fault_can_be_set(tenant: ZuoraTenant, log_in: Callable[[ZuoraServer], httpx.Client]) -> None:
    keys = ("FaultCode", "FaultMessage")
    with ZuoraServer(tenant, client_id="tieout", client_secret="a-secret", fault_keys=keys) as server:
        response = log_in(server).post("/v1/action/query", json={"queryString": "select"})
    assert response.json()["FaultCode"] == "MALFORMED_QUERY"
    assert "position 6" in response.json()["FaultMessage"]


def test_describe_names_every_field_with_its_type(client: httpx.Client, tenant: ZuoraTenant) -> None:
    tenant.define("Invoice", {"Region__c": "picklist"})
    response = client.get("/v1/describe/Invoice")
    assert response.headers["content-type"].startswith("text/xml")
    described = {
        field.findtext("name"): (field.findtext("type"), field.findtext("custom"))
        for field in ElementTree.fromstring(response.content).findall("./fields/field")
    }
    kinds = {"Id": "id", **STANDARD_OBJECTS["Invoice"], "CreatedDate": "datetime", "UpdatedDate": "datetime"}
    standard = {name: ("text" if kind == "id" else kind, "false") for name, kind in kinds.items()}
    assert described == {**standard, "Region__c": ("picklist", "true")}


def test_describe_without_a_name_lists_the_objects(client: httpx.Client) -> None:
    root = ElementTree.fromstring(client.get("/v1/describe").content)
    assert {element.text for element in root.findall("./object/name")} == set(STANDARD_OBJECTS)


def test_describe_of_an_unknown_object_is_not_found(client: httpx.Client) -> None:
    response = client.get("/v1/describe/Spaceship")
    assert response.status_code == 404
    assert "Spaceship" in (ElementTree.fromstring(response.content).findtext("message") or "")
