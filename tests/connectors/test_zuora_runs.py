"""Bill runs: pulled whole or not at all, posted and cancelled, over a real socket."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import respx

from connectors.contract import DraftRun
from connectors.errors import PermanentError, UnknownRecord
from connectors.mapping_file import shipped
from connectors.retries import RetryPolicy
from connectors.zuora.connector import ZuoraConfig
from connectors.zuora.runs import ZuoraRuns
from sandbox.zuora import STANDARD_OBJECTS, ZuoraServer, ZuoraTenant
from tests.connectors.conftest import Clock

SECRET = "a-secret"
NUMBER = "BR-00000123"
LAST = date(2026, 11, 30)


@pytest.fixture
def tenant(clock: Clock) -> ZuoraTenant:
    """A tenant with every custom field that the shipped mapping reads."""
    made = ZuoraTenant(clock)
    for name, mapped in shipped("zuora").objects.items():
        known = {*STANDARD_OBJECTS.get(name, ()), "Id", "CreatedDate", "UpdatedDate"}
        custom = {field: "text" for field in mapped.fields if "." not in field and field not in known}
        if name in STANDARD_OBJECTS and custom:
            made.define(name, custom)
    return made


@pytest.fixture
def runs(tenant: ZuoraTenant, clock: Clock, retries: RetryPolicy) -> Iterator[ZuoraRuns]:
    with ZuoraServer(tenant, client_id="tieout", client_secret=SECRET) as server:
        config = ZuoraConfig(server.url, "tieout", SECRET, system="billing", retries=retries)
        opened = ZuoraRuns(config, shipped("zuora"), clock)
        yield opened
        opened.close()


def _invoice(tenant: ZuoraTenant, number: str, amount: str, status: str = "Draft") -> str:
    fields: dict[str, Any] = {"InvoiceNumber": number, "AccountId": "a1", "Status": status, "Amount": Decimal(amount)}
    invoice = tenant.put("Invoice", {**fields, "Currency__c": "USD"})
    line: dict[str, Any] = {
        "InvoiceId": invoice,
        "ChargeAmount": Decimal(amount),
        "ProcessingType": "0",
        "RatePlanChargeId": "c1",
    }
    tenant.put("InvoiceItem", {**line, "ServiceStartDate": date(2026, 11, 1), "ServiceEndDate": LAST})
    return invoice


def test_a_run_is_pulled_by_number_and_by_id(tenant: ZuoraTenant, runs: ZuoraRuns) -> None:
    ids = [_invoice(tenant, "INV1", "10.50"), _invoice(tenant, "INV2", "20000.00")]
    other = _invoice(tenant, "INV3", "1")
    identity = tenant.add_bill_run(NUMBER, LAST, LAST, ids)
    pulled = runs.pull(NUMBER)
    assert runs.pull(identity) == pulled
    assert (pulled.run["key"], pulled.run["number"], pulled.run["target_date"]) == (identity, NUMBER, LAST)
    assert {row["key"]: row["total"] for row in pulled.invoices} == dict(
        zip(ids, [Decimal("10.5"), Decimal(20000)], strict=True)
    )
    assert other not in {row["key"] for row in pulled.invoices}
    assert {(row["invoice_key"], row["amount"], row["period_end"]) for row in pulled.lines} == {
        (ids[0], Decimal("10.5"), date(2026, 12, 1)),
        (ids[1], Decimal(20000), date(2026, 12, 1)),
    }
    assert {row["system"] for row in (pulled.run, *pulled.invoices, *pulled.lines)} == {"billing"}


def test_drafts_that_name_the_run_by_its_id_count_as_well(tenant: ZuoraTenant, runs: ZuoraRuns) -> None:
    identity = tenant.add_bill_run(NUMBER, LAST, LAST, [_invoice(tenant, "INV1", "1")])
    tenant.put("Invoice", {"InvoiceNumber": "INV2", "AccountId": "a1", "Status": "Draft", "SourceId": identity})
    assert {row["number"] for row in runs.pull(NUMBER).invoices} == {"INV1", "INV2"}


def test_the_field_that_names_the_run_is_a_setting(tenant: ZuoraTenant, clock: Clock, retries: RetryPolicy) -> None:
    tenant.define("Invoice", {"BillRun__c": "text"})
    tenant.add_bill_run(NUMBER, LAST, LAST, [])
    tenant.put("Invoice", {"InvoiceNumber": "INV2", "AccountId": "a1", "Status": "Draft", "BillRun__c": NUMBER})
    with ZuoraServer(tenant, client_id="tieout", client_secret=SECRET) as server:
        config = ZuoraConfig(server.url, "tieout", SECRET, run_field="BillRun__c", retries=retries)
        with closing(ZuoraRuns(config, shipped("zuora"), clock)) as opened:
            assert {row["number"] for row in opened.pull(NUMBER).invoices} == {"INV2"}
    with pytest.raises(PermanentError, match="must be the name of a field"):
        ZuoraConfig(server.url, "tieout", SECRET, run_field="A = 'b' or C")


def test_what_was_posted_in_an_earlier_attempt_is_no_draft(tenant: ZuoraTenant, runs: ZuoraRuns) -> None:
    ids = [_invoice(tenant, "INV1", "1"), _invoice(tenant, "INV2", "1", "Posted")]
    identity = tenant.add_bill_run(NUMBER, LAST, LAST, ids)
    tenant.put("Invoice", {"InvoiceNumber": "INV3", "AccountId": "a1", "Status": "Posted", "SourceId": identity})
    pulled = runs.pull(NUMBER)
    assert [row["key"] for row in pulled.invoices] == ids[:1]
    assert {row["invoice_key"] for row in pulled.lines} == {ids[0]}


def test_more_than_two_hundred_drafts(tenant: ZuoraTenant, runs: ZuoraRuns) -> None:
    tenant.add_bill_run(NUMBER, LAST, LAST, [_invoice(tenant, f"INV{n}", "1") for n in range(410)])
    pulled = runs.pull(NUMBER)
    assert len(pulled.invoices) == len(pulled.lines) == len({row["key"] for row in pulled.lines}) == 410


@pytest.mark.parametrize("run_id", ["BR-00000999", "", "../accounts", "BR?x=1"])
def test_a_run_that_is_not_there(runs: ZuoraRuns, run_id: str) -> None:
    with pytest.raises(UnknownRecord):
        runs.pull(run_id)


@pytest.mark.parametrize("status", ["Pending", "Processing", "Error", "Canceled", "Posted", "PostInProgress"])
def test_only_a_completed_run_is_judged(tenant: ZuoraTenant, runs: ZuoraRuns, status: str) -> None:
    tenant.add_bill_run(NUMBER, LAST, LAST, [], status)
    with pytest.raises(PermanentError, match=f"The bill run {NUMBER} is {status}: only a Completed run"):
        runs.pull(NUMBER)


@pytest.mark.parametrize(
    ("named", "batches"), [(["AllBatches"], None), (["Batch1", "Batch2"], "Batch1,Batch2"), (None, None)]
)
def test_a_run_that_bills_all_batches_names_none(
    clock: Clock, retries: RetryPolicy, named: list[str] | None, batches: str | None
) -> None:
    """How the platform says so stays with its connector: the gate reads batches, or none."""
    assert _pulled(clock, retries, batches=named).run["batches"] == batches


@pytest.mark.parametrize(
    ("filters", "whole"), [(None, True), ([], True), ([{"filterType": "Account", "accountId": "a1"}], False)]
)
def test_a_run_for_some_accounts_is_not_the_whole(
    clock: Clock, retries: RetryPolicy, filters: list[dict[str, str]] | None, whole: bool
) -> None:
    """Of the customers who have no draft in it nothing can be said."""
    assert _pulled(clock, retries, batches=None, billRunFilters=filters).whole is whole


def _pulled(clock: Clock, retries: RetryPolicy, **said: Any) -> DraftRun:
    """A run without drafts, whose order says this."""
    run = {"id": "9f", "billRunNumber": NUMBER, "status": "Completed", "success": True, **said}
    with respx.mock(base_url="https://rest.zuora.test") as wire:
        wire.post("/oauth/token").respond(json={"access_token": "t", "expires_in": 3600})
        wire.get(f"/v1/bill-runs/{NUMBER}").respond(json=run)
        wire.post("/v1/action/query").respond(json={"records": [], "size": 0, "done": True})
        config = ZuoraConfig("https://rest.zuora.test", "tieout", SECRET, retries=retries)
        with closing(ZuoraRuns(config, shipped("zuora"), clock)) as opened:
            return opened.pull(NUMBER)


def test_a_draft_that_cannot_be_read_stops_the_pull(tenant: ZuoraTenant, runs: ZuoraRuns) -> None:
    bad = _invoice(tenant, "INV2", "0.00001")
    tenant.add_bill_run(NUMBER, LAST, LAST, [_invoice(tenant, "INV1", "1"), bad])
    with pytest.raises(PermanentError, match=f"Invoice {bad} of the run cannot be read.*more than 4 digits"):
        runs.pull(NUMBER)


def test_a_run_is_posted_once(tenant: ZuoraTenant, runs: ZuoraRuns) -> None:
    invoice = _invoice(tenant, "INV1", "1")
    tenant.add_bill_run(NUMBER, LAST, LAST, [invoice])
    runs.post(NUMBER)
    runs.post(NUMBER)
    assert {row["Status"] for row in tenant.rows("Invoice")} == {"Posted"}
    with pytest.raises(PermanentError, match="cannot be canceled"):
        runs.cancel(NUMBER)


def test_a_run_is_cancelled_once(tenant: ZuoraTenant, runs: ZuoraRuns) -> None:
    tenant.add_bill_run(NUMBER, LAST, LAST, [_invoice(tenant, "INV1", "1")])
    runs.cancel(NUMBER)
    runs.cancel(NUMBER)
    assert {row["Status"] for row in tenant.rows("Invoice")} == {"Canceled"}
    with pytest.raises(PermanentError, match="cannot be posted"):
        runs.post(NUMBER)
