"""A price is changed in billing while drafts wait: the callout alone has the invoice that it spoils in the queue.

It runs the demo's own company; only the two checks are put together that the story is about and one that it is not.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from books.engine import Engine
from checks.catalogue import CATALOGUE
from checks.ruleset import Ruleset
from gateway.compiled import CompiledFolder
from gateway.db.session import Database
from gateway.demo.world import World
from gateway.exceptions.tables import Case
from gateway.sweep import sweep
from gateway.sync.run import sync_now
from gateway.webhooks.processing import process
from sandbox.serving import LoopbackServer
from tests.gateway.webhooks.webhook_world import webhook_app
from tests.tls import TLS

pytestmark = pytest.mark.timeout(600)
SECRET = "zuora:callout-password"
CHECKS = ("contract_terms_vs_billing", "invoice_math_error", "revenue_schedule_missing")


@pytest.fixture
def world(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("TIEOUT_ZUORA_WEBHOOK_SECRET", SECRET)
    with World(tmp_path / "world", seed=7, accounts=200, public_url="http://127.0.0.1:1") as world:
        world.installed.database = database
        checks = [CATALOGUE[name] for name in CHECKS]
        world.installed.ruleset = Ruleset(checks, world.installed.books, shelf=CompiledFolder.of_user())
        yield world


def call_out(world: World, session: str, records: dict[str, list[str]]) -> None:
    body = json.dumps({"kind": "Price Changed", "records": records})
    user, _, password = SECRET.partition(":")
    headers = {"Zuora-Notification-Id": session, "Content-Type": "application/json"}
    with LoopbackServer(webhook_app(world.installed)) as server:
        url = f"{server.url}/v1/webhooks/zuora"
        assert (
            httpx.post(url, content=body, headers=headers, auth=(user, password), timeout=60, verify=TLS).status_code
            == 202
        )


def open_cases(world: World) -> dict[str, tuple[str, str]]:
    with world.installed.database.session() as session:
        return {case.fingerprint: (case.check_id, case.record_key) for case in session.scalars(select(Case))}


def recurring_item(world: World) -> dict[str, Any]:
    """An item of a live invoice that bills a recurring charge of one segment, about which nothing is said yet."""
    spoken_of = {key for _, key in open_cases(world).values()}
    charges = {row["Id"]: row for row in world.tenant.rows("RatePlanCharge")}
    again = [row["OriginalId"] for row in charges.values()]
    for item in world.tenant.rows("InvoiceItem"):
        charge = charges.get(item.get("RatePlanChargeId", ""), {})
        if (
            charge.get("ChargeType") == "Recurring"
            and again.count(charge["OriginalId"]) == 1
            and item["Id"] not in spoken_of
        ):
            return dict(item)
    raise AssertionError("the company bills no such charge")


def one(world: World, name: str, field: str, value: str) -> dict[str, Any]:
    (row,) = [dict(row) for row in world.tenant.rows(name) if row.get(field) == value]
    return row


def test_a_price_change_is_checked_against_invoices_at_once(world: World) -> None:
    sync_now(world.installed)
    sweep(world.installed, world.clock())
    before = open_cases(world)

    # Zuora rates the charge anew, and with it the invoice that bills it.
    item = recurring_item(world)
    tier = one(world, "RatePlanChargeTier", "RatePlanChargeId", item["RatePlanChargeId"])
    invoice = one(world, "Invoice", "Id", item["InvoiceId"])
    price, amount = tier["Price"] * 2, item["ChargeAmount"]
    world.tenant.put("RatePlanChargeTier", {"Id": tier["Id"], "Price": price})
    doubled = {"UnitPrice": item["UnitPrice"] * 2, "ChargeAmount": amount * 2}
    world.tenant.put("InvoiceItem", {"Id": item["Id"], **doubled})
    world.tenant.put("Invoice", {"Id": invoice["Id"], "Amount": invoice["Amount"] + amount})

    others = world.salesforce.faults.came.total() + world.netsuite.faults.came.total()
    asked = world.zuora.requests
    call_out(
        world,
        "session-1",
        {"RatePlanChargeTier": [tier["Id"]], "InvoiceItem": [item["Id"]], "Invoice": [invoice["Id"]]},
    )
    ran = process(world.installed, world.clock())

    assert (len(ran.done), ran.failed) == (1, {})
    opened = {key: said for key, said in open_cases(world).items() if key not in before}
    assert ("contract_terms_vs_billing", item["Id"]) in opened.values()
    assert set(ran.checks) == {"contract_terms_vs_billing", "invoice_math_error"}

    # The tier's charge was read with it, because the charge shows the price; and nothing else was.
    assert ("zuora", "subscription_lines") in ran.touched
    snapshot = world.installed.ledger.latest()
    assert snapshot is not None
    with Engine.over(world.installed.store, snapshot) as engine:
        said = f"SELECT unit_price FROM billing_schedules WHERE key = '{item['RatePlanChargeId']}'"
        assert [Decimal(row["unit_price"]) for row in engine.rows(said)] == [price]
    queries = world.zuora.requests - asked
    del queries["POST /oauth/token"]
    # Tier, charge and its two look-ups, item, invoice, and the invoice's other items where it has some.
    assert set(queries) == {"POST /v1/action/query"}
    assert queries.total() in (6, 7)
    assert world.salesforce.faults.came.total() + world.netsuite.faults.came.total() == others

    again = process(world.installed, world.clock())
    assert (again.done, again.sweep) == ([], None)

    # Of a new draft that is named without its items nothing is said: in the books it would seem to have none.
    draft = {"AccountId": invoice["AccountId"], "InvoiceNumber": "INV-NEW", "Status": "Draft", "Amount": amount}
    key = world.tenant.put("Invoice", {**draft, "InvoiceDate": invoice["InvoiceDate"], "Currency__c": "USD"})
    call_out(world, "session-2", {"Invoice": [key]})
    alone = process(world.installed, world.clock())
    assert (len(alone.done), list(alone.checks), alone.partial) == (1, [], {("zuora", "invoice_lines")})
