"""Stripe's published objects (MIT, stripe/openapi), through the simulator and the connector: each lands, or is a reject
that says why."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.mapping import Mapped
from connectors.mapping_file import parse, shipped
from connectors.retries import RetryPolicy
from connectors.stripe.api import StripeConfig
from connectors.stripe.connector import Stripe
from connectors.stripe.resources import RESOURCES
from sandbox.stripe import StripeAccount, StripeServer
from sandbox.stripe.kinds import KINDS
from tests.connectors.conftest import Clock

FIXTURES = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "stripe_openapi_fixtures" / "fixtures3.json"
KEY = "sk_test_fixtures"
# What the shipped mapping leaves out, mapped here so that it is read.
OTHERS = """
connector: stripe
objects:
  charge: {key: id, targets: [{entity: payments, account: customer, columns: {amount: money(amount), status: status}}]}
  payment_intent: {key: id, targets: [{entity: payments, columns: {amount: money(amount), status: status}}]}
  refund: {key: id, targets: [{entity: payments, columns: {amount: money(amount), status: status}}]}
  invoiceitem: {key: id, targets: [{entity: invoice_lines, columns: {amount: money(amount), invoice_key: invoice}}]}
  plan: {key: id, targets: [{entity: prices, columns: {unit_price: money(amount), product_key: product}}]}
  billing.meter: {key: id, targets: [{entity: products, columns: {name: display_name, code: event_name}}]}
  credit_note_line_item: {key: id, targets: [{entity: invoice_lines, columns: {amount: money(amount)}}]}
"""
WITHIN = {"subscription": "items", "invoice": "lines", "credit_note": "lines"}

pytestmark = pytest.mark.skipif(not FIXTURES.is_file(), reason="the published objects of ../shared are not here")


@pytest.fixture
def published() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FIXTURES.read_text(encoding="utf-8"))["resources"]
    return found


@pytest.fixture
def server(clock: Clock, published: dict[str, dict[str, Any]]) -> Iterator[StripeServer]:
    """An account that holds one published object of every kind."""
    account = StripeAccount(clock)
    # The published ids name nothing; a payment is asked for with its invoice, so it gets one that is there.
    linked = {"invoice_payment": {"invoice": published["invoice"]["id"]}}
    for name in KINDS:
        if name in published and name != "event":
            _put(account, name, {**published[name], **linked.get(name, {})})
    with StripeServer(account, api_key=KEY, per_s=10_000) as running:
        yield running


def _put(account: StripeAccount, name: str, thing: dict[str, Any]) -> None:
    fields = {field: value for field, value in thing.items() if field != WITHIN.get(name)}
    account.put(name, fields, quiet=True)
    for child in thing.get(WITHIN.get(name, ""), {}).get("data", ()):
        kind, link = KINDS[name].holds[WITHIN[name]]
        account.put(kind, {**child, link: thing["id"]}, quiet=True)


@pytest.mark.parametrize("version", ["2026-04-22.dahlia", "2024-06-20"])
def test_every_object_lands_or_is_rejected_with_a_reason(
    server: StripeServer, clock: Clock, retries: RetryPolicy, version: str
) -> None:
    config = StripeConfig(KEY, server.url, api_version=version, requests_per_s=10_000, retries=retries)
    counted: dict[str, int] = {}
    for mapping in (shipped("stripe"), parse(OTHERS)):
        with closing(Stripe(config, mapping, clock)) as connector:
            for name in mapping.walked:
                records = [record for page in connector.changes(name, None) for record in page.records]
                result = mapping.objects[name].book(records, "stripe", clock())
                _check(name, result, len(records))
                counted[name] = len(records)
    # Tiers are in no published price, and nobody subscribed to the published meter.
    assert {name for name, count in counted.items() if not count} == {"tier", "billing.meter_event_summary"}
    assert set(counted) == set(RESOURCES) - {"coupon"}


def _check(name: str, result: Mapped, count: int) -> None:
    assert all(reject.reason.endswith(".") for reject in result.rejects)
    fullest = max(len(rows) for _, rows in result.rows)
    assert fullest + len(result.rejects) == count, name


def test_the_simulator_has_no_field_that_stripe_has_not(published: dict[str, dict[str, Any]]) -> None:
    for name, kind in KINDS.items():
        if name in published and name != "event":
            assert set(kind.defaults) <= set(published[name]), name
