from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.zuora import ZuoraTenant
from sandbox.zuora.billruns import STATUSES
from sandbox.zuora.schema import Row

TARGET = date(2026, 11, 30)
POSTING = {"invoiceDate": "2026-12-01"}
ORDER = {"name": "November", "targetDate": "2026-11-30", "invoiceDate": "2026-11-30", "batches": ["Batch1"]}

Connect = Callable[[ZuoraTenant], httpx.Client]


@pytest.fixture(scope="module")
def empty() -> ZuoraTenant:
    """A tenant that stays without runs."""
    return ZuoraTenant(lambda: datetime(2026, 11, 20, tzinfo=UTC))


@pytest.fixture(scope="module")
def empty_client(empty: ZuoraTenant, connect_once: Connect) -> httpx.Client:
    return connect_once(empty)


def drafts(tenant: ZuoraTenant, count: int = 2) -> list[str]:
    return [
        tenant.put("Invoice", {"InvoiceNumber": f"INV-{n}", "Status": "Draft", "InvoiceDate": TARGET})
        for n in range(1, count + 1)
    ]


def status_of(client: httpx.Client, key: str) -> str:
    return str(client.get(f"/v1/bill-runs/{key}").json()["status"])


def statuses(tenant: ZuoraTenant) -> list[object]:
    return [row["Status"] for row in tenant.rows("Invoice")]


def refused(response: httpx.Response) -> tuple[int, str]:
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    assert body["success"] is False
    return body["reasons"][0]["code"] % 100, body["reasons"][0]["message"]


def test_a_run_and_its_invoices_point_at_each_other(
    client: httpx.Client, tenant: ZuoraTenant, advance: Callable[[timedelta], None]
) -> None:
    invoices = drafts(tenant)
    stamp = tenant.rows("Invoice")[0]["UpdatedDate"]
    advance(timedelta(minutes=1))
    run = tenant.add_bill_run("BR-00000007", TARGET, TARGET, invoices)
    assert len(run) == 32
    assert {(row["Source"], row["SourceId"]) for row in tenant.rows("Invoice")} == {("BillRun", "BR-00000007")}
    assert tenant.rows("Invoice")[0]["UpdatedDate"] == stamp
    body = client.get("/v1/bill-runs/BR-00000007").json()
    assert body == client.get(f"/v1/bill-runs/{run}").json()
    wanted = {
        "id": run,
        "billRunNumber": "BR-00000007",
        "status": "Completed",
        "targetDate": "2026-11-30",
        "invoiceDate": "2026-11-30",
        "autoPost": False,
        "createdDate": "2026-11-20 09:31:00",
        "success": True,
    }
    assert {key: body[key] for key in wanted} == wanted


def test_zoql_sees_runs_and_finds_their_drafts(client: httpx.Client, tenant: ZuoraTenant) -> None:
    invoices = drafts(tenant)
    tenant.add_bill_run("BR-00000007", TARGET, TARGET, invoices[:1])
    query = "select Id from Invoice where SourceId = 'BR-00000007' and Status = 'Draft'"
    found = client.post("/v1/action/query", json={"queryString": query}).json()["records"]
    assert [record["Id"] for record in found] == invoices[:1]
    query = "select BillRunNumber, Status from BillRun where Status = 'Completed'"
    (record,) = client.post("/v1/action/query", json={"queryString": query}).json()["records"]
    assert record["BillRunNumber"] == "BR-00000007"


def test_an_invoice_may_name_its_run_by_id(client: httpx.Client, tenant: ZuoraTenant) -> None:
    run = tenant.add_bill_run("BR-00000007", TARGET, TARGET, [])
    tenant.put("Invoice", {"InvoiceNumber": "INV-1", "Status": "Draft", "SourceId": run})
    assert client.get("/v1/invoices/INV-1").json()["billRunId"] == run
    client.put("/v1/bill-runs/BR-00000007/post", json=POSTING)
    assert statuses(tenant) == ["Posted"]


def test_a_run_that_cannot_be_added(tenant: ZuoraTenant) -> None:
    with pytest.raises(ValueError, match="not a status of a bill run"):
        tenant.add_bill_run("BR-1", TARGET, TARGET, [], "Done")
    with pytest.raises(ValueError, match="no Invoice with the id 'x'"):
        tenant.add_bill_run("BR-1", TARGET, TARGET, ["x"])
    tenant.add_bill_run("BR-1", TARGET, TARGET, [])
    with pytest.raises(ValueError, match="a bill run BR-1 already"):
        tenant.add_bill_run("BR-1", TARGET, TARGET, [])


def test_posting_is_seen_in_progress_and_then_done(client: httpx.Client, tenant: ZuoraTenant) -> None:
    invoices = drafts(tenant)
    run = tenant.add_bill_run("BR-1", TARGET, TARGET, invoices)
    assert client.put(f"/v1/bill-runs/{run}/post", json=POSTING).json()["status"] == "PostInProgress"
    assert status_of(client, "BR-1") == "Posted"
    for row in tenant.rows("Invoice"):
        assert (row["Status"], row["InvoiceDate"]) == ("Posted", date(2026, 12, 1))
        assert row["PostedDate"] == row["UpdatedDate"] == tenant.clock()


def test_a_move_takes_as_long_as_the_tenant_says(
    clock: Callable[[], Any], advance: Callable[[timedelta], None], connect: Connect
) -> None:
    tenant = ZuoraTenant(clock, settle_after=timedelta(minutes=2))
    client = connect(tenant)
    run = tenant.add_bill_run("BR-1", TARGET, TARGET, drafts(tenant))
    started = tenant.clock()
    client.put(f"/v1/bill-runs/{run}/post", json=POSTING)
    advance(timedelta(seconds=119))
    assert status_of(client, run) == "PostInProgress"
    assert statuses(tenant) == ["Draft", "Draft"]
    advance(timedelta(minutes=5))
    assert status_of(client, run) == "Posted"
    assert {row["PostedDate"] for row in tenant.rows("Invoice")} == {started + timedelta(minutes=2)}


def test_a_run_returns_to_completed_when_an_invoice_fails_to_post(client: httpx.Client, tenant: ZuoraTenant) -> None:
    invoices = drafts(tenant)
    run = tenant.add_bill_run("BR-1", TARGET, TARGET, invoices)
    tenant.fail_posting(invoices[1])
    client.put(f"/v1/bill-runs/{run}/post", json=POSTING)
    assert status_of(client, run) == "Completed"
    assert statuses(tenant) == ["Posted", "Draft"]
    assert "INV-2" in str(tenant.rows("BillRun")[0]["ErrorMessage"])
    category, message = refused(client.put(f"/v1/bill-runs/{run}/cancel", json={}))
    assert category == 30
    assert "1 posted" in message
    client.put(f"/v1/bill-runs/{run}/post", json=POSTING)
    assert status_of(client, run) == "Posted"
    assert statuses(tenant) == ["Posted", "Posted"]


def test_deleting_one_draft_lets_the_rest_post(client: httpx.Client, tenant: ZuoraTenant) -> None:
    invoices = drafts(tenant)
    run = tenant.add_bill_run("BR-1", TARGET, TARGET, invoices)
    assert client.delete("/v1/invoices/INV-1").json()["success"] is True
    client.put(f"/v1/bill-runs/{run}/post", json=POSTING)
    assert status_of(client, run) == "Posted"
    assert [row["Id"] for row in tenant.rows("Invoice")] == invoices[1:]


def test_a_draft_cannot_be_deleted_while_its_run_is_posting(
    clock: Callable[[], Any], advance: Callable[[timedelta], None], connect: Connect
) -> None:
    tenant = ZuoraTenant(clock, settle_after=timedelta(minutes=2))
    client = connect(tenant)
    run = tenant.add_bill_run("BR-1", TARGET, TARGET, drafts(tenant))
    client.put(f"/v1/bill-runs/{run}/post", json=POSTING)
    assert refused(client.delete("/v1/invoices/INV-1"))[0] == 50
    advance(timedelta(minutes=2))
    assert refused(client.delete("/v1/invoices/INV-1"))[0] == 30


def test_canceling_and_removing_a_run(client: httpx.Client, tenant: ZuoraTenant) -> None:
    run = tenant.add_bill_run("BR-1", TARGET, TARGET, drafts(tenant))
    tenant.put("InvoiceItem", {"InvoiceId": tenant.rows("Invoice")[0]["Id"]})
    other = tenant.put("Invoice", {"Status": "Draft"})
    assert client.put(f"/v1/bill-runs/{run}/cancel", json={}).json()["status"] == "CancelInProgress"
    assert status_of(client, run) == "Canceled"
    assert statuses(tenant) == ["Canceled", "Canceled", "Draft"]
    assert client.delete(f"/v1/bill-runs/{run}").json()["status"] == "RemoveInProgress"
    assert refused(client.get(f"/v1/bill-runs/{run}"))[0] == 40
    assert [row["Id"] for row in tenant.rows("Invoice")] == [other]
    assert tenant.rows("InvoiceItem") == []


MOVES: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "post": lambda client, run: client.put(f"/v1/bill-runs/{run}/post", json=POSTING),
    "cancel": lambda client, run: client.put(f"/v1/bill-runs/{run}/cancel", json={}),
    "delete": lambda client, run: client.delete(f"/v1/bill-runs/{run}"),
}
ALLOWED = {
    "post": {"Completed"},
    "cancel": {"Pending", "Completed", "Paused"},
    "delete": {"Canceled", "Error"},
}


@pytest.mark.parametrize("move", MOVES)
def test_each_move_is_legal_from_its_statuses_only(client: httpx.Client, tenant: ZuoraTenant, move: str) -> None:
    allowed = set()
    for status in STATUSES:
        run = tenant.add_bill_run(f"BR-{status}", TARGET, TARGET, [], status)
        body = MOVES[move](client, run).json()
        if body["success"]:
            allowed.add(status)
        else:
            assert body["reasons"][0]["code"] % 100 == 30
            assert status_of(client, run) == status
    assert allowed == ALLOWED[move]


@pytest.mark.parametrize("move", MOVES)
def test_a_move_of_an_unknown_run(client: httpx.Client, move: str) -> None:
    assert refused(MOVES[move](client, "BR-9"))[0] == 40


@pytest.mark.parametrize(("body", "category"), [({}, 22), ({"invoiceDate": "soon"}, 20), ({"invoiceDate": 5}, 20)])
def test_posting_needs_an_invoice_date(
    client: httpx.Client, tenant: ZuoraTenant, body: dict[str, object], category: int
) -> None:
    run = tenant.add_bill_run("BR-1", TARGET, TARGET, drafts(tenant))
    assert refused(client.put(f"/v1/bill-runs/{run}/post", json=body))[0] == category
    assert status_of(client, run) == "Completed"


def test_a_new_run_bills_and_waits(clock: Callable[[], Any], connect: Connect) -> None:
    asked: list[Row] = []

    def bill(run: Row) -> list[str]:
        asked.append(run)
        return drafts(tenant)

    tenant = ZuoraTenant(clock, draft=bill)
    tenant.add_bill_run("BR-00000041", TARGET, TARGET, [])
    client = connect(tenant)
    body = client.post("/v1/bill-runs", json=ORDER).json()
    assert (body["success"], body["status"], body["billRunNumber"]) == (True, "Pending", "BR-00000042")
    assert body["batches"] == ["Batch1"]
    assert status_of(client, body["id"]) == "Completed"
    assert (asked[0]["Batches"], asked[0]["TargetDate"]) == ("Batch1", TARGET)
    assert {(row["Status"], row["SourceId"]) for row in tenant.rows("Invoice")} == {("Draft", "BR-00000042")}
    assert tenant.rows("BillRun")[1]["NumberOfInvoices"] == 2


def test_a_run_that_cannot_bill_ends_in_error(clock: Callable[[], Any], connect: Connect) -> None:
    def bill(_: Row) -> list[str]:
        raise ValueError("The tax engine is closed.")

    tenant = ZuoraTenant(clock, draft=bill)
    client = connect(tenant)
    run = client.post("/v1/bill-runs", json=ORDER).json()["id"]
    assert status_of(client, run) == "Error"
    assert tenant.rows("BillRun")[0]["ErrorMessage"] == "The tax engine is closed."


def test_a_pending_run_can_be_canceled_before_it_bills(
    clock: Callable[[], Any], advance: Callable[[timedelta], None], connect: Connect
) -> None:
    tenant = ZuoraTenant(clock, settle_after=timedelta(minutes=1), draft=lambda _: drafts(tenant))
    client = connect(tenant)
    run = client.post("/v1/bill-runs", json=ORDER).json()["id"]
    client.put(f"/v1/bill-runs/{run}/cancel", json={})
    advance(timedelta(minutes=30))
    assert status_of(client, run) == "Canceled"
    assert tenant.rows("Invoice") == []


def test_auto_post_needs_the_billing_rule(clock: Callable[[], Any], connect: Connect) -> None:
    order = {**ORDER, "autoPost": True}
    category, message = refused(connect(ZuoraTenant(clock)).post("/v1/bill-runs", json=order))
    assert category == 30
    assert "Support Bill Run Auto-Post?" in message
    tenant = ZuoraTenant(clock, auto_post=True, draft=lambda _: drafts(tenant))
    client = connect(tenant)
    run = client.post("/v1/bill-runs", json=order).json()["id"]
    assert status_of(client, run) == "Posted"
    assert statuses(tenant) == ["Posted", "Posted"]


@pytest.mark.parametrize(
    ("change", "category"),
    [
        ({"targetDate": None}, 22),
        ({"targetDate": "30.11.2026"}, 20),
        ({"batches": None}, 22),
        ({"billRunFilters": [{"filterType": "Account", "accountId": "a"}]}, 22),
        ({"batches": None, "billRunFilters": [{"accountId": "a"}, {"accountId": "b"}]}, 30),
        ({"batches": None, "billRunFilters": "all"}, 20),
        ({"batches": "Batch1"}, 20),
        ({"autoEmail": True}, 30),
        ({"autoRenewal": "yes"}, 20),
        ({"name": 5}, 20),
        ({"chargeTypeToExclude": ["OneTime", "Recurring", "Usage"]}, 20),
        ({"chargeTypeToExclude": ["Tax"]}, 20),
    ],
)
def test_an_order_that_makes_no_run(
    empty: ZuoraTenant, empty_client: httpx.Client, change: dict[str, object], category: int
) -> None:
    assert refused(empty_client.post("/v1/bill-runs", json={**ORDER, **change}))[0] == category
    assert empty.rows("BillRun") == []


def test_a_run_of_one_account_bills_today_by_default(client: httpx.Client, tenant: ZuoraTenant) -> None:
    order = {
        "targetDate": "2026-11-30",
        "billRunFilters": [{"filterType": "Account", "accountId": "acc"}],
        "chargeTypeToExclude": ["Usage"],
    }
    body = client.post("/v1/bill-runs", json=order).json()
    assert body["invoiceDate"] == "2026-11-20"
    assert body["billRunFilters"] == order["billRunFilters"]
    row = tenant.rows("BillRun")[0]
    assert (row["AccountId"], row["ChargeTypeToExclude"]) == ("acc", "Usage")


def test_five_hundred_pending_runs_block_the_next(client: httpx.Client, tenant: ZuoraTenant) -> None:
    for n in range(499):
        tenant.add_bill_run(f"BR-{n:08d}", TARGET, TARGET, [], "Pending")
    assert client.post("/v1/bill-runs", json=ORDER).json()["success"] is True
    tenant.add_bill_run("BR-X", TARGET, TARGET, [], "Pending")
    assert refused(client.post("/v1/bill-runs", json=ORDER))[0] == 30
