"""An independent counterpart: localstripe, as a process of its own, written through its API and read by the connector.

It knows plans where Stripe has prices, and keeps no feed of events as Stripe filters it: so its objects are mapped
without a cursor, and prices from plans. Its lists of lines cannot be paged, so a page takes all lines of an invoice and
not all customers. It signs webhooks of its own accord.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest

from connectors.mapping import Row
from connectors.mapping_file import parse
from connectors.stripe.api import StripeConfig
from connectors.stripe.connector import Stripe
from connectors.stripe.webhook import read
from sandbox.webhook_sink import WebhookSink
from tests.tls import TLS

KEY = "sk_test_12345"
START_DEADLINE_S = 60.0
MAPPING = """
connector: stripe
objects:
  customer:
    key: id
    targets: [{entity: accounts, account: id, columns: {name: name}}]
  product:
    key: id
    targets: [{entity: products, columns: {name: name}}]
  plan:
    key: id
    targets:
      - entity: prices
        columns:
          product_key: product
          unit_price: money(amount)
          price_months: {from: interval, as: months_of}
          currency: {from: currency, as: upper}
  subscription:
    key: id
    targets:
      - entity: subscriptions
        account: customer
        columns: {status: status, start_date: day(start_date)}
  subscription_item:
    key: id
    targets:
      - entity: subscription_lines
        columns: {subscription_key: _parent.id, quantity: quantity, unit_price: money(plan.amount)}
  invoice:
    key: id
    targets:
      - entity: invoices
        account: customer
        columns: {status: status, total: money(total), tax: money(tax), currency: {from: currency, as: upper}}
  line_item:
    key: id
    targets:
      - entity: invoice_lines
        columns: {invoice_key: _parent.id, amount: money(amount), subscription_key: subscription}
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "localstripe ended before it listened"
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    pytest.fail("localstripe did not listen in time")


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, auth=(KEY, ""), verify=TLS) as opened:
        yield opened


def _made(client: httpx.Client, path: str, **form: Any) -> dict[str, Any]:
    reply = client.post(path, data=form)
    assert reply.status_code == 200, reply.text
    made: dict[str, Any] = reply.json()
    return made


@pytest.fixture(scope="module")
def books(url: str, client: httpx.Client) -> tuple[dict[str, Any], dict[str, dict[str, Row]]]:
    """What was written, by kind, and what the connector reads of it, by entity and key."""
    customers = [_made(client, "/v1/customers", name=f"Customer {n}") for n in range(30)]
    product = _made(client, "/v1/products", name="Seats", type="service")
    plans = [
        _made(client, "/v1/plans", product=product["id"], amount="1999", currency=currency, interval="year")
        for currency in ("eur", "jpy")
    ]
    subscriptions = [
        _made(
            client,
            "/v1/subscriptions",
            customer=customer["id"],
            **{"items[0][plan]": plans[0]["id"], "items[0][quantity]": str(n + 1), "trial_period_days": "30"},
        )
        for n, customer in enumerate(customers[:3])
    ]
    invoices = []
    for n, customer in enumerate(customers[:3]):
        for amount in range(12 * n + 1):
            form = {"customer": customer["id"], "amount": str(amount + 5), "currency": "eur"}
            _made(client, "/v1/invoiceitems", **form)
        invoices.append(_made(client, "/v1/invoices", customer=customer["id"]))
    written = {
        "customers": customers,
        "plans": plans,
        "subscriptions": subscriptions,
        "invoices": invoices,
    }
    return written, _read(url)


def _read(url: str) -> dict[str, dict[str, Row]]:
    mapping, now = parse(MAPPING), datetime.now(UTC)
    config = StripeConfig(KEY, url, page_size=27, requests_per_s=1_000)
    found: dict[str, dict[str, Row]] = {}
    with closing(Stripe(config, mapping, lambda: datetime.now(UTC))) as connector:
        for name, mapped in mapping.objects.items():
            records = [record for page in connector.changes(name, None) for record in page.records]
            assert sorted(str(r) for r in records) == sorted(
                str(record) for page in connector.census(name) for record in page
            )
            result = mapped.book(records, "stripe", now)
            assert not result.rejects
            for target, rows in result.rows:
                found.setdefault(target.entity.name, {}).update((row["key"], row) for row in rows)
                assert len({row["key"] for row in rows}) == len(records)
    return found


def test_customers_and_plans(books: tuple[dict[str, Any], dict[str, dict[str, Row]]]) -> None:
    written, read_back = books
    assert {key: row["name"] for key, row in read_back["accounts"].items()} == {
        customer["id"]: customer["name"] for customer in written["customers"]
    }
    prices = read_back["prices"]
    assert [(prices[plan["id"]]["unit_price"], prices[plan["id"]]["currency"]) for plan in written["plans"]] == [
        (Decimal("19.99"), "EUR"),
        (Decimal(1999), "JPY"),
    ]
    assert {row["price_months"] for row in prices.values()} == {12}


def test_subscriptions_with_their_items(books: tuple[dict[str, Any], dict[str, dict[str, Row]]]) -> None:
    written, read_back = books
    for n, subscription in enumerate(written["subscriptions"]):
        row = read_back["subscriptions"][subscription["id"]]
        day = datetime.fromtimestamp(subscription["start_date"], UTC).date()
        assert (row["account_id"], row["start_date"]) == (subscription["customer"], day)
        lines = [r for r in read_back["subscription_lines"].values() if r["subscription_key"] == subscription["id"]]
        assert [(line["quantity"], line["unit_price"]) for line in lines] == [(n + 1, Decimal("19.99"))]


def test_invoices_with_more_lines_than_they_show(books: tuple[dict[str, Any], dict[str, dict[str, Row]]]) -> None:
    written, read_back = books
    for n, invoice in enumerate(written["invoices"]):
        # The subscription is billed as well, with as many seats as it has.
        amounts = [*(Decimal(amount + 5) / 100 for amount in range(12 * n + 1)), (n + 1) * Decimal("19.99")]
        row = read_back["invoices"][invoice["id"]]
        assert (row["status"], row["total"], row["currency"]) == ("draft", sum(amounts), "EUR")
        lines = [r["amount"] for r in read_back["invoice_lines"].values() if r["invoice_key"] == invoice["id"]]
        assert sorted(lines) == sorted(amounts)


def test_what_it_posts_is_read(client: httpx.Client) -> None:
    with WebhookSink() as sink:
        client.post("/_config/webhooks/tieout", data={"url": sink.url, "secret": "whsec_local"})
        customer = _made(client, "/v1/customers", name="Posted")
        # What was made before may be posted first.
        deliveries = (sink.wait_for(n, timeout=20.0)[n - 1] for n in count(1))
        notified = (read(d.headers, d.body, "whsec_local", datetime.now(UTC)) for d in deliveries)
        found = next(said for said in notified if said.records.get("customer") == (customer["id"],))
    assert found.kind == "customer.created"
