from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from sandbox.zuora import ZuoraTenant, make_id
from sandbox.zuora.schema import Value

START = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
ACCOUNT = make_id("Account", 1)


@pytest.fixture(scope="module")
def tenant() -> ZuoraTenant:
    """Twelve invoices, a minute apart; the even ones are drafts of one account and one run."""
    tenant = ZuoraTenant(lambda: START)
    tenant.put("Account", {"Id": ACCOUNT, "Name": "Oh Canada", "Currency": "CAD"})
    for n in range(12):
        ours = {"Status": "Draft", "AccountId": ACCOUNT, "SourceId": "BR-00000001"}
        row: dict[str, Value] = {
            "InvoiceNumber": f"INV-{n:02d}",
            "Amount": Decimal(n),
            "InvoiceDate": date(2026, 11, n + 1),
        }
        stamps = dict.fromkeys(("CreatedDate", "UpdatedDate"), START + timedelta(minutes=n))
        tenant.put("Invoice", {**row, **stamps, **(ours if n % 2 == 0 else {"Status": "Posted"})})
    return tenant


@pytest.fixture(scope="module")
def client(tenant: ZuoraTenant, connect_once: Callable[[ZuoraTenant], httpx.Client]) -> httpx.Client:
    return connect_once(tenant)


@pytest.fixture(scope="module")
def invoices(tenant: ZuoraTenant) -> list[str]:
    return [str(row["Id"]) for row in tenant.rows("Invoice")]


def numbers(client: httpx.Client, *filters: str, **parameters: str | int) -> list[int]:
    query: list[tuple[str, str | int | float | bool | None]] = [("filter[]", text) for text in filters]
    query += [("pageSize", "99"), *((name, str(value)) for name, value in parameters.items())]
    response = client.get("/object-query/invoices", params=query)
    assert response.status_code == 200, response.text
    return sorted(int(row["invoiceNumber"][-2:]) for row in response.json()["data"])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["status.EQ:Draft"], [0, 2, 4, 6, 8, 10]),
        (["STATUS.eq:draft"], [0, 2, 4, 6, 8, 10]),
        (["status.NE:Draft"], [1, 3, 5, 7, 9, 11]),
        ([f"accountId.EQ:{ACCOUNT}", "amount.GE:8"], [8, 10]),
        (["accountId.EQ:null"], [1, 3, 5, 7, 9, 11]),
        (["sourceId.EQ:BR-00000001", "amount.LT:3"], [0, 2]),
        (["amount.LE:1"], [0, 1]),
        (["amount.GT:10"], [11]),
        (["invoicenumber.SW:inv-1"], [10, 11]),
        (["invoiceNumber.IN:[INV-03,inv-04]"], [3, 4]),
        (["invoiceDate.GE:2026-11-11"], [10, 11]),
        (["updateddate.LT:2026-11-20T17:32:00Z"], [0, 1]),
        (["updateddate.LT:2026-11-20T09:32:00-08:00"], [0, 1]),
        (["status.EQ:Paid"], []),
    ],
)
def test_filters(client: httpx.Client, filters: list[str], expected: list[int]) -> None:
    assert numbers(client, *filters) == expected


def test_a_record_has_camel_case_and_no_nulls(client: httpx.Client, invoices: list[str]) -> None:
    response = client.get("/object-query/invoices", params={"filter[]": f"id.EQ:{invoices[0]}"})
    assert response.json() == {
        "data": [
            {
                "id": invoices[0],
                "accountId": ACCOUNT,
                "amount": 0,
                "createdDate": "2026-11-20T09:30:00-08:00",
                "currency": "CAD",
                "invoiceDate": "2026-11-01",
                "invoiceNumber": "INV-00",
                "sourceId": "BR-00000001",
                "status": "Draft",
                "updatedDate": "2026-11-20T09:30:00-08:00",
            }
        ]
    }


def test_nulls_on_request(client: httpx.Client, invoices: list[str]) -> None:
    query = {"filter[]": f"id.EQ:{invoices[1]}", "includeNullFields": "true"}
    (row,) = client.get("/object-query/invoices", params=query).json()["data"]
    assert (row["dueDate"], row["currency"], row["status"]) == (None, None, "Posted")


@pytest.mark.parametrize("name", ["fields[]", "invoice.fields[]"])
def test_only_the_fields_asked_for(client: httpx.Client, name: str) -> None:
    query = {name: "invoicenumber,amount", "filter[]": "amount.EQ:3"}
    assert client.get("/object-query/invoices", params=query).json()["data"] == [
        {"invoiceNumber": "INV-03", "amount": 3}
    ]


@pytest.mark.parametrize("size", [1, 5, 10, 12, 99])
def test_the_cursor_leads_through_all_pages_latest_change_first(
    client: httpx.Client, invoices: list[str], size: int
) -> None:
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        body = client.get("/object-query/invoices", params={"pageSize": str(size), **cursor}).json()
        ids += [row["id"] for row in body["data"]]
        if "nextPage" not in body:
            break
        assert len(body["data"]) == size
        cursor = {"cursor": body["nextPage"]}
    assert ids == invoices[::-1]


def test_ten_a_page_unless_told(client: httpx.Client) -> None:
    assert len(client.get("/object-query/invoices").json()["data"]) == 10


def test_sorting_by_one_field(client: httpx.Client) -> None:
    for order, wanted in (("amount.ASC", list(range(12))), ("AMOUNT.desc", list(range(11, -1, -1)))):
        query = {"sort[]": order, "pageSize": "99"}
        rows = client.get("/object-query/invoices", params=query).json()["data"]
        assert [row["amount"] for row in rows] == wanted


def test_a_custom_field_and_accounts(connect: Callable[[ZuoraTenant], httpx.Client]) -> None:
    tenant = ZuoraTenant(lambda: START)
    client = connect(tenant)
    tenant.define("Account", {"Region__c": "text", "Vip__c": "boolean"})
    tenant.put("Account", {"Name": "Oh Canada", "Region__c": "North", "Vip__c": True})
    tenant.put("Account", {"Name": "Other", "Region__c": "South", "Vip__c": False})
    for condition in ("Region__c.EQ:north", "Vip__c.EQ:true", "name.EQ:oh canada"):
        rows = client.get("/object-query/accounts", params={"filter[]": condition}).json()["data"]
        assert [(row["name"], row["Region__c"]) for row in rows] == [("Oh Canada", "North")]


def test_items_of_an_invoice(connect: Callable[[ZuoraTenant], httpx.Client]) -> None:
    tenant = ZuoraTenant(lambda: START)
    client = connect(tenant)
    stamp = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    row: dict[str, Value] = {
        "InvoiceId": "inv",
        "SKU": "S-1",
        "UOM": "Seat",
        "ProcessingType": "0",
        "ChargeDate": stamp,
    }
    tenant.put("InvoiceItem", row)
    tenant.put("InvoiceItem", {"InvoiceId": "other"})
    (item,) = client.get("/object-query/invoice-items", params={"filter[]": "invoiceid.EQ:inv"}).json()["data"]
    assert (item["sKU"], item["uOM"], item["processingType"]) == ("S-1", "Seat", "0")
    assert item["chargeDate"] == "2026-11-01T04:00:00-08:00"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("spaceships", {}),
        ("invoice-items", {}),
        ("invoices", {"pageSize": "0"}),
        ("invoices", {"pageSize": "100"}),
        ("invoices", {"pageSize": "ten"}),
        ("invoices", {"cursor": "MTA"}),
        ("invoices", {"cursor": "?"}),
        ("invoices", {"cursor": "²"}),
        ("invoices", {"cursor": "LTU="}),  # -5
        ("invoices", {"filter[]": "status"}),
        ("invoices", {"filter[]": "status.LIKE:D%"}),
        ("invoices", {"filter[]": "colour.EQ:red"}),
        ("invoices", {"filter[]": "targetDate.EQ:2026-11-30"}),
        ("invoices", {"filter[]": "amount.EQ:much"}),
        ("invoices", {"filter[]": "invoiceDate.EQ:30.11.2026"}),
        ("invoices", {"sort[]": "amount"}),
        ("invoices", {"sort[]": "colour.ASC"}),
        ("invoices", {"expand[]": "account"}),
    ],
)
def test_what_cannot_be_asked_is_a_bad_request(client: httpx.Client, path: str, query: dict[str, str]) -> None:
    response = client.get(f"/object-query/{path}", params=query)
    assert response.status_code == 400
    assert response.json()["reasons"][0]["message"].endswith(".")
