"""Runs whose drafts are pulled from the billing platform: a Zuora on a loopback port, and sources that fail."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.contract import DraftRun
from connectors.errors import (
    CursorLost,
    LoginRefused,
    MappingError,
    PermanentError,
    SchemaChanged,
    TransientError,
    UnknownRecord,
)
from connectors.mapping_file import shipped
from connectors.retries import RetryPolicy
from connectors.zuora.connector import ZuoraConfig
from connectors.zuora.runs import ZuoraRuns
from sandbox.zuora import STANDARD_OBJECTS, ZuoraServer, ZuoraTenant
from tests.gateway.prebill.prebill_fixtures import Serve, Worlds
from tests.gateway.prebill.prebill_world import (
    NEVER_BILLED,
    NOW,
    PULL,
    WRONG_PRICE,
    Caller,
    Pulled,
    World,
    draft_run,
    question,
    stored_invoice,
)


def _reply(world: World, serve: Serve, answer: DraftRun | Exception) -> httpx.Response:
    world.can_pull(Pulled(answer))
    return serve(world).ask(PULL)


def test_pulled_drafts_are_judged_as_the_whole_run(worlds: Worlds, serve: Serve) -> None:
    answer = _reply(worlds(WRONG_PRICE, NEVER_BILLED), serve, draft_run()).json()
    assert answer["run"] == {"system": "zuora", "id": "BR-1", "target_date": "2026-11-29"}
    assert [reason["check"] for reason in answer["run_reasons"]] == ["never_billed"]
    assert answer["invoices"] == [{"id": "I-1", "account_id": "ZA-1", "verdict": "pass", "reasons": []}]


def test_what_the_platform_calls_a_part_is_not_judged_as_the_whole_run(worlds: Worlds, serve: Serve) -> None:
    answer = _reply(worlds(WRONG_PRICE, NEVER_BILLED), serve, replace(draft_run(), whole=False)).json()
    assert (answer["verdict"], answer["not_applicable"], answer["run_reasons"]) == ("pass", ["never_billed"], [])


def test_pulled_drafts_stand_for_what_is_stored_under_the_runs_id_or_number(worlds: Worlds, serve: Serve) -> None:
    """A stored draft of the run at another price would be found if it were still there."""
    world = worlds(WRONG_PRICE, NEVER_BILLED)
    for name in ("BR-1", "9f"):
        world.publish(stored_invoice(f"OLD-{name}", 2, status="draft", run=name))
    pulled = draft_run()
    answer = _reply(world, serve, DraftRun({**pulled.run, "key": "9f"}, pulled.invoices, pulled.lines)).json()
    assert [reason["check"] for reason in answer["run_reasons"]] == ["never_billed"], "Brill has no draft any more"


def test_a_pulled_draft_is_blocked_like_any_other(world: World, serve: Serve) -> None:
    answer = _reply(world, serve, draft_run("41.00")).json()
    assert answer["proceed"] is False
    assert answer["invoices"][0]["reasons"][0]["check"] == "wrong_price"


def test_one_changed_cent_is_another_content(world: World, serve: Serve) -> None:
    world.can_pull(Pulled(draft_run()))
    caller = serve(world)
    before = caller.ask(PULL).json()["content_hash"]
    assert caller.ask(PULL).json()["content_hash"] == before
    world.can_pull(Pulled(draft_run(total="20000.01")))
    assert caller.ask(PULL).json()["content_hash"] != before


def test_a_run_without_drafts_blocks(world: World, serve: Serve) -> None:
    answer = _reply(world, serve, DraftRun(draft_run().run, [], [])).json()
    assert (answer["verdict"], answer["run_reasons"][0]["check"]) == ("block", "empty_run")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (UnknownRecord("There is no such run."), 404, "not-found"),
        (PermanentError("The bill run BR-1 is Posted."), 409, "run-not-ready"),
        (TransientError("got no answer"), 503, "not-available"),
        (CursorLost("forgotten"), 503, "not-available"),
        (LoginRefused("refused"), 503, "not-available"),
        (SchemaChanged("a field is gone"), 503, "not-available"),
        (MappingError("no bill-run"), 503, "not-available"),
    ],
)
def test_a_run_that_cannot_be_pulled_is_a_problem(
    world: World, serve: Serve, error: Exception, status: int, kind: str
) -> None:
    reply = _reply(world, serve, error)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.json()["type"], reply.json()["proceed"]) == (f"urn:tieout:problem:{kind}", False)
    assert ("retry-after" in reply.headers) is (status == 503)


@pytest.mark.parametrize("missing", ["account_id", "currency", "invoice_date", "total"])
def test_a_draft_that_lacks_what_any_judgement_needs_is_a_problem(world: World, serve: Serve, missing: str) -> None:
    reply = _reply(world, serve, draft_run(without=missing))
    assert (reply.status_code, reply.json()["type"]) == (409, "urn:tieout:problem:run-not-ready")
    assert missing in reply.json()["detail"]


def test_a_source_whose_runs_cannot_be_pulled_says_so(caller: Caller) -> None:
    reply = caller.ask(PULL)
    assert (reply.status_code, reply.json()["type"]) == (422, "urn:tieout:problem:run-not-pullable")


@pytest.mark.parametrize("system", ["salesforce", "nowhere"])
def test_a_system_that_bills_nothing_is_not_found(caller: Caller, system: str) -> None:
    reply = caller.ask(question(run={"system": system, "id": "BR-1"}))
    assert (reply.status_code, reply.json()["proceed"]) == (404, False)
    assert "zuora" in reply.json()["detail"]


SECRET = "a-secret"
LAST = date(2026, 11, 30)


@pytest.fixture
def tenant() -> ZuoraTenant:
    """A tenant with every custom field that the shipped mapping reads."""
    made = ZuoraTenant(lambda: NOW)
    for name, mapped in shipped("zuora").objects.items():
        known = {*STANDARD_OBJECTS.get(name, ()), "Id", "CreatedDate", "UpdatedDate"}
        custom = {field: "text" for field in mapped.fields if "." not in field and field not in known}
        if name in STANDARD_OBJECTS and custom:
            made.define(name, custom)
    return made


@pytest.fixture
def zuora(tenant: ZuoraTenant, world: World) -> Iterator[ZuoraServer]:
    """A Zuora on a socket, from which the world pulls its runs, without waiting between attempts."""
    with ZuoraServer(tenant, client_id="tieout", client_secret=SECRET) as server:
        retries = RetryPolicy(attempts=2, budget_s=5.0, sleep=lambda _: None)
        runs = ZuoraRuns(ZuoraConfig(server.url, "tieout", SECRET, retries=retries), shipped("zuora"), lambda: NOW)
        world.can_pull(runs)
        yield server
        runs.close()


def _draft(tenant: ZuoraTenant, price: str) -> str:
    invoice: dict[str, Any] = {
        "InvoiceNumber": "INV1",
        "AccountId": "ZA-1",
        "Status": "Draft",
        "Amount": Decimal(20000),
    }
    key = tenant.put("Invoice", {**invoice, "InvoiceDate": LAST, "Currency__c": "USD"})
    item: dict[str, Any] = {
        "InvoiceId": key,
        "RatePlanChargeId": "R-1",
        "ProcessingType": "0",
        "ChargeAmount": Decimal(20000),
    }
    tenant.put("InvoiceItem", {**item, "Quantity": Decimal(500), "UnitPrice": Decimal(price)})
    return key


@pytest.mark.usefixtures("zuora")
def test_a_run_of_a_billing_platform_over_the_wire(world: World, tenant: ZuoraTenant, serve: Serve) -> None:
    tenant.add_bill_run("BR-00000123", LAST, LAST, [_draft(tenant, "40.00")])
    tenant.add_bill_run("BR-00000124", LAST, LAST, [], "Posted")
    caller = serve(world)
    good, posted, unknown = (caller.ask({"run": {"system": "zuora", "id": f"BR-0000012{n}"}}).json() for n in (3, 4, 9))
    assert (good["proceed"], good["run"]["target_date"], good["counts"]["invoices"]) == (True, "2026-11-30", 1)
    assert (posted["status"], posted["type"]) == (409, "urn:tieout:problem:run-not-ready")
    assert (unknown["status"], unknown["type"]) == (404, "urn:tieout:problem:not-found")


def test_a_billing_platform_that_is_down_is_a_problem(world: World, zuora: ZuoraServer, serve: Serve) -> None:
    zuora.stop()
    reply = serve(world).ask({"run": {"system": "zuora", "id": "BR-00000123"}})
    assert (reply.status_code, reply.json()["proceed"]) == (503, False)
    assert SECRET not in reply.text
