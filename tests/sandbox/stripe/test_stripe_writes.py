"""What can be written into the simulated account, and what it refuses: objects, invoices, usage, repeated requests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.stripe import StripeAccount, StripeServer
from tests.tls import TLS

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEY = "sk_test_123456789012"
DAY = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> StripeAccount:
    return StripeAccount(clock)


@pytest.fixture
def client(account: StripeAccount) -> Iterator[httpx.Client]:
    with (
        StripeServer(account, api_key=KEY, per_s=10_000) as server,
        httpx.Client(base_url=server.url, auth=(KEY, ""), verify=TLS) as opened,
    ):
        yield opened


def _made(client: httpx.Client, path: str, **form: str) -> dict[str, Any]:
    reply = client.post(path, data=form)
    assert reply.status_code == 200, reply.text
    made: dict[str, Any] = reply.json()
    return made


def _draft(client: httpx.Client, **form: str) -> dict[str, Any]:
    customer = _made(client, "/v1/customers", name="Acme")["id"]
    client.post("/v1/invoiceitems", data={"customer": customer, "amount": "1999", "currency": "eur"})
    return _made(client, "/v1/invoices", customer=customer, **form)


def test_a_subscription_is_made_from_prices(client: httpx.Client) -> None:
    customer = _made(client, "/v1/customers", name="Acme", **{"metadata[salesforce_account_id]": "001"})
    product = _made(client, "/v1/products", name="Seats")
    fields = {"product": product["id"], "currency": "eur", "unit_amount": "4000", "recurring[interval_count]": "3"}
    price = _made(client, "/v1/prices", **fields)
    assert (price["unit_amount"], price["unit_amount_decimal"]) == (4000, "4000")
    assert (price["recurring"]["interval"], price["recurring"]["interval_count"]) == ("month", 3)
    items = {"items[0][price]": price["id"], "items[0][quantity]": "500"}
    made = _made(client, "/v1/subscriptions", customer=customer["id"], **items)
    item = made["items"]["data"][0]
    assert (made["currency"], item["quantity"], item["price"]["id"]) == ("eur", 500, price["id"])
    ends = datetime.fromtimestamp(item["current_period_end"], UTC)
    assert (ends.year, ends.month) == (2027, 3)
    ended = client.delete(f"/v1/subscriptions/{made['id']}").json()
    assert ended["status"] == "canceled"
    assert client.get(f"/v1/subscriptions/{made['id']}").json() == ended
    types = [event["type"] for event in client.get("/v1/events?type=customer.subscription.*").json()["data"]]
    assert types == ["customer.subscription.deleted", "customer.subscription.created"]


REFUSED_POSTS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("/v1/customers", {"nmae": "x"}, "nmae"),
    ("/v1/products", {"active": "maybe"}, "active"),
    ("/v1/prices", {"unit_amount": "many"}, "unit_amount"),
    ("/v1/invoices", {}, "customer"),
    ("/v1/invoices", {"customer": "cus_gone"}, "customer"),
    ("/v1/subscriptions", {"customer": "cus_gone"}, "items"),
    ("/v1/subscriptions", {"customer": "cus_gone", "items[0][price]": "p"}, "customer"),
)


def test_what_a_post_refuses(client: httpx.Client) -> None:
    for path, form, param in REFUSED_POSTS:
        reply = client.post(path, data=form)
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


def test_a_body_of_json_is_refused(client: httpx.Client) -> None:
    assert client.post("/v1/customers", json={"name": "x"}).status_code == 400
    assert client.post("/v1/charges", data={"amount": "1"}).status_code == 404
    assert client.delete("/v1/customers").status_code == 404
    assert client.delete("/v1/prices/price_gone").status_code == 404


def test_a_draft_takes_what_is_pending_and_finalises(client: httpx.Client) -> None:
    draft = _draft(client)
    assert (draft["status"], draft["total"], draft["currency"], draft["auto_advance"]) == ("draft", 1999, "eur", False)
    assert draft["lines"]["data"][0]["parent"]["type"] == "invoice_item_details"
    path = f"/v1/invoices/{draft['id']}"
    final = _made(client, f"{path}/finalize", auto_advance="true")
    assert (final["status"], final["auto_advance"], bool(final["number"])) == ("open", True, True)
    assert client.post(f"{path}/finalize").json()["error"]["code"] == "invoice_not_editable"
    assert client.delete(path).status_code == 400
    paid = _made(client, f"{path}/pay")
    assert (paid["status"], paid["amount_paid"], paid["amount_remaining"]) == ("paid", 1999, 0)
    assert client.post(f"{path}/void").status_code == 400
    assert client.post(f"{path}/mark_uncollectible").status_code == 400


def test_a_draft_that_advances_does_so_after_an_hour(client: httpx.Client, clock: Clock) -> None:
    draft, held = _draft(client, auto_advance="true"), _draft(client, auto_advance="true")
    assert draft["automatically_finalizes_at"] == int(NOON.timestamp()) + 3600
    held = _made(client, f"/v1/invoices/{held['id']}", auto_advance="false")
    assert held["automatically_finalizes_at"] is None
    clock.now += timedelta(hours=1)
    assert client.get(f"/v1/invoices/{draft['id']}").json()["status"] == "open"
    assert client.get(f"/v1/invoices/{held['id']}").json()["status"] == "draft"
    assert client.get("/v1/invoices?status=draft").json()["data"][0]["id"] == held["id"]
    assert client.delete(f"/v1/invoices/{held['id']}").json() == {
        "id": held["id"],
        "object": "invoice",
        "deleted": True,
    }
    assert client.get(f"/v1/invoices/{held['id']}").status_code == 404
    assert _made(client, f"/v1/invoices/{draft['id']}/void")["status"] == "void"


def test_a_repeated_key_gets_the_first_answer(client: httpx.Client, clock: Clock) -> None:
    key = {"Idempotency-Key": "k1"}
    first = client.post("/v1/customers", data={"name": "A"}, headers=key)
    assert client.post("/v1/customers", data={"name": "A"}, headers=key).content == first.content
    other = client.post("/v1/customers", data={"name": "B"}, headers=key)
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert client.post("/v1/customers", data={}, headers={"Idempotency-Key": "k" * 256}).status_code == 400
    clock.now += timedelta(hours=24)
    assert client.post("/v1/customers", data={"name": "B"}, headers=key).status_code == 200
    refused = client.post("/v1/invoices", data={}, headers={"Idempotency-Key": "k2"})
    assert client.post("/v1/invoices", data={}, headers={"Idempotency-Key": "k2"}).content == refused.content


def _usage(**form: str) -> dict[str, str]:
    said = {"event_name": "calls", "payload[stripe_customer_id]": "cus_1", "payload[value]": "2.5", **form}
    return {name: value for name, value in said.items() if value}


@pytest.fixture
def meter(account: StripeAccount) -> str:
    account.put("customer", {"id": "cus_1"})
    return account.put("billing.meter", {"event_name": "calls"})


def test_usage_is_summed_by_day_and_hour(client: httpx.Client, meter: str) -> None:
    for n, moment in enumerate((DAY - 1, DAY, DAY + 3600, DAY + 3601)):
        _made(client, "/v1/billing/meter_events", **_usage(timestamp=str(moment), identifier=f"u{n}"))
    window = {"customer": "cus_1", "start_time": str(DAY - 86_400), "end_time": str(DAY + 86_400)}
    path = f"/v1/billing/meters/{meter}/event_summaries"
    by_day = client.get(path, params={**window, "value_grouping_window": "day"}).json()["data"]
    assert [(s["start_time"], s["aggregated_value"]) for s in by_day] == [(DAY, 7.5), (DAY - 86_400, 2.5)]
    by_hour = client.get(path, params={**window, "value_grouping_window": "hour"}).json()["data"]
    assert [s["aggregated_value"] for s in by_hour] == [5, 2.5, 2.5]
    (whole,) = client.get(path, params=window).json()["data"]
    assert (whole["aggregated_value"], whole["object"]) == (10, "billing.meter_event_summary")


REFUSED_SUMMARIES: tuple[tuple[dict[str, str], str], ...] = (
    ({"customer": ""}, "customer"),
    ({"customer": "cus_gone"}, "customer"),
    ({"start_time": str(DAY + 60)}, "start_time"),
    ({"end_time": str(DAY)}, "end_time"),
    ({"value_grouping_window": "week"}, "value_grouping_window"),
    ({"meter": "x"}, "meter"),
)


def test_what_a_summary_refuses(client: httpx.Client, meter: str) -> None:
    days = {"start_time": str(DAY), "end_time": str(DAY + 86_400), "value_grouping_window": "day"}
    for change, param in REFUSED_SUMMARIES:
        window = {"customer": "cus_1", **days, **change}
        reply = client.get(f"/v1/billing/meters/{meter}/event_summaries", params=window)
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


REFUSED_USAGE: tuple[tuple[dict[str, str], str], ...] = (
    (_usage(event_name=""), "event_name"),
    (_usage(event_name="other"), "event_name"),
    (_usage(**{"payload[value]": "many"}), "payload"),
    (_usage(**{"payload[stripe_customer_id]": ""}), "payload"),
    (_usage(identifier="u" * 101), "identifier"),
    (_usage(timestamp=str(int(NOON.timestamp()) + 301)), "timestamp"),
    (_usage(timestamp=str(int(NOON.timestamp()) - 35 * 86_400 - 1)), "timestamp"),
)


@pytest.mark.usefixtures("meter")
def test_what_a_meter_refuses(client: httpx.Client) -> None:
    for form, param in REFUSED_USAGE:
        reply = client.post("/v1/billing/meter_events", data=form)
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


@pytest.mark.usefixtures("meter")
def test_an_identifier_is_unique_for_a_day(client: httpx.Client, clock: Clock) -> None:
    assert client.post("/v1/billing/meter_events", data=_usage(identifier="u1")).status_code == 200
    clock.now += timedelta(hours=23, minutes=59)
    assert client.post("/v1/billing/meter_events", data=_usage(identifier="u1")).status_code == 400
    clock.now += timedelta(minutes=1)
    assert client.post("/v1/billing/meter_events", data=_usage(identifier="u1")).status_code == 200
