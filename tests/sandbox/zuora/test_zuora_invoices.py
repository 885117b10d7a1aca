from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.zuora import ZuoraTenant, make_id

RUN_DATE = date(2026, 11, 30)


def put_invoice(tenant: ZuoraTenant, number: str = "INV-1", status: str = "Draft", items: int = 0) -> str:
    account = tenant.put("Account", {"Id": make_id("Account", 1), "Currency": "EUR"})
    invoice = tenant.put(
        "Invoice",
        {"InvoiceNumber": number, "Status": status, "AccountId": account, "Amount": Decimal("12.50")},
    )
    for n in range(items):
        tenant.put("InvoiceItem", {"InvoiceId": invoice, "ChargeAmount": Decimal(n), "ChargeName": f"Seat {n}"})
    return invoice


def refused(response: httpx.Response) -> tuple[int, str]:
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    assert body["success"] is False
    assert len(body["processId"]) == 16
    (reason,) = body["reasons"]
    assert len(str(reason["code"])) == 8
    return reason["code"] % 100, reason["message"]


def test_an_invoice_by_id_or_number(client: httpx.Client, tenant: ZuoraTenant) -> None:
    identity = put_invoice(tenant)
    run = tenant.add_bill_run("BR-00000001", RUN_DATE, RUN_DATE, [identity])
    tenant.put(
        "Invoice",
        {"Id": identity, "Status": "Posted", "PostedDate": datetime(2026, 12, 1, 3, 0, tzinfo=UTC)},
    )
    body = client.get(f"/v1/invoices/{identity}").json()
    assert body == client.get("/v1/invoices/INV-1").json()
    wanted = {
        "id": identity,
        "success": True,
        "amount": 12.5,
        "status": "Posted",
        "currency": "EUR",
        "source": "BillRun",
        "sourceId": "BR-00000001",
        "billRunId": run,
        "postedDate": "2026-11-30",
        "createdDate": "2026-11-20 09:30:00",
        "dueDate": None,
    }
    assert {key: body[key] for key in wanted} == wanted


def test_an_unknown_invoice_is_an_error_inside_a_200(client: httpx.Client) -> None:
    for path in ("/v1/invoices/INV-9", "/v1/invoices/INV-9/items"):
        category, message = refused(client.get(path))
        assert category == 40
        assert "INV-9" in message


def test_an_item_has_the_names_of_the_v1_list(client: httpx.Client, tenant: ZuoraTenant) -> None:
    tenant.define("InvoiceItem", {"Cost__c": "decimal"})
    invoice, charge = put_invoice(tenant), tenant.put("RatePlanCharge", {"ChargeType": "Recurring"})
    item = tenant.put(
        "InvoiceItem",
        {
            "InvoiceId": invoice,
            "RatePlanChargeId": charge,
            "SubscriptionNumber": "A-S1",
            "UOM": "Seat",
            "ProcessingType": "1",
            "ChargeAmount": Decimal("-2.10"),
            "ChargeDate": datetime(2026, 11, 20, 7, 59, tzinfo=UTC),
            "ServiceStartDate": date(2026, 11, 1),
            "ServiceEndDate": date(2026, 11, 30),
            "Cost__c": Decimal(1),
        },
    )
    (shown,) = client.get("/v1/invoices/INV-1/items").json()["invoiceItems"]
    wanted = {
        "id": item,
        "chargeId": charge,
        "chargeType": "Recurring",
        "subscriptionName": "A-S1",
        "unitOfMeasure": "Seat",
        "processingType": "Discount",
        "chargeAmount": -2.1,
        "chargeDate": "2026-11-19 23:59:00",
        "serviceStartDate": "2026-11-01",
        "serviceEndDate": "2026-11-30",
        "quantity": None,
        "Cost__c": 1,
    }
    assert {key: shown[key] for key in wanted} == wanted


@pytest.mark.parametrize(("asked", "size"), [("", 20), ("?pageSize=7", 7), ("?pageSize=99", 40), ("?pageSize=x", 20)])
def test_items_come_in_pages_that_lead_to_each_other(
    client: httpx.Client, tenant: ZuoraTenant, asked: str, size: int
) -> None:
    put_invoice(tenant, items=85)
    put_invoice(tenant, number="INV-2", items=3)
    url: str | None = f"/v1/invoices/INV-1/items{asked}"
    pages: list[list[str]] = []
    while url:
        body = client.get(url).json()
        assert body["success"] is True
        pages.append([item["chargeName"] for item in body["invoiceItems"]])
        url = body.get("nextPage")
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert sorted(name for page in pages for name in page) == sorted(f"Seat {n}" for n in range(85))


def test_a_page_past_the_end_is_empty(client: httpx.Client, tenant: ZuoraTenant) -> None:
    put_invoice(tenant, items=3)
    assert client.get("/v1/invoices/INV-1/items?pageSize=20&page=2").json() == {"invoiceItems": [], "success": True}


def test_a_draft_can_be_deleted_with_its_items(client: httpx.Client, tenant: ZuoraTenant) -> None:
    doomed, kept = put_invoice(tenant, items=2), put_invoice(tenant, number="INV-2", items=1)
    body = client.delete("/v1/invoices/INV-1").json()
    assert (body["success"], body["id"], body["jobStatus"]) == (True, doomed, "Completed")
    assert [row["Id"] for row in tenant.rows("Invoice")] == [kept]
    assert [row["InvoiceId"] for row in tenant.rows("InvoiceItem")] == [kept]


@pytest.mark.parametrize("status", ["Posted", "Canceled", "Error"])
def test_only_a_draft_can_be_deleted(client: httpx.Client, tenant: ZuoraTenant, status: str) -> None:
    put_invoice(tenant, status=status, items=1)
    category, message = refused(client.delete("/v1/invoices/INV-1"))
    assert category == 30
    assert status in message
    assert len(tenant.rows("InvoiceItem")) == 1
