"""The simulated account's lists: pages, filters, expansions and shapes, and what it refuses."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.stripe import StripeAccount, StripeServer
from sandbox.stripe.errors import Refusal
from sandbox.stripe.lists import page
from sandbox.stripe.params import decoded
from sandbox.stripe.shapes import Version
from tests.tls import TLS

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEY = "sk_test_123456789012"


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> StripeAccount:
    return StripeAccount(clock, nested=2)


@pytest.fixture
def server(account: StripeAccount) -> Iterator[StripeServer]:
    with StripeServer(account, api_key=KEY, per_s=10_000) as running:
        yield running


@pytest.fixture
def client(server: StripeServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {KEY}"}, verify=TLS) as opened:
        yield opened


def _error(reply: httpx.Response) -> dict[str, Any]:
    error = reply.json()["error"]
    assert {"message", "type"} <= set(error)
    return {"status": reply.status_code, **{name: error[name] for name in ("code", "param") if name in error}}


def test_without_the_key_nothing_is_answered(server: StripeServer) -> None:
    for header in (None, "Bearer sk_test_other", "Basic !!", "Digest x", "Bearer"):
        reply = httpx.get(f"{server.url}/v1/customers", headers={"Authorization": header} if header else {}, verify=TLS)
        assert reply.status_code == 401
        assert reply.json()["error"]["type"] == "invalid_request_error"
        assert reply.headers["www-authenticate"]


def test_the_key_may_be_a_user_name(server: StripeServer) -> None:
    assert httpx.get(f"{server.url}/v1/customers", auth=(KEY, ""), verify=TLS).json() == {
        "object": "list",
        "data": [],
        "has_more": False,
        "url": "/v1/customers",
    }


def test_ten_by_default_newest_first(account: StripeAccount, client: httpx.Client) -> None:
    made = [account.put("customer", {"name": str(n)}) for n in range(12)]
    body = client.get("/v1/customers").json()
    assert [one["id"] for one in body["data"]] == made[:1:-1]
    assert body["has_more"] is True
    after = client.get("/v1/customers", params={"starting_after": made[2]}).json()
    assert [one["id"] for one in after["data"]] == [made[1], made[0]]
    assert after["has_more"] is False
    before = client.get("/v1/customers", params={"ending_before": made[9], "limit": 1}).json()
    assert ([one["id"] for one in before["data"]], before["has_more"]) == ([made[10]], True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 250), st.integers(1, 100))
def test_pages_hold_every_object_once(count: int, limit: int) -> None:
    things = [{"id": f"cus_{n}"} for n in range(count)]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": str(limit)}
    more = True
    while more:
        got, more = page(things, params, "customer")
        assert len(got) <= limit
        seen += [one["id"] for one in got]
        params["starting_after"] = seen[-1] if seen else ""
    assert seen == [one["id"] for one in things]


# What a list is asked for, and the code and the parameter of the refusal.
REFUSED: tuple[tuple[str, str | None, str | None], ...] = (
    ("limit=0", "parameter_invalid_integer", "limit"),
    ("limit=101", "parameter_invalid_integer", "limit"),
    ("limit=ten", "parameter_invalid_integer", "limit"),
    ("starting_after=cus_gone", "resource_missing", "starting_after"),
    ("ending_before=cus_gone", "resource_missing", "ending_before"),
    ("starting_after=a&ending_before=b", None, None),
    ("page=2", "parameter_unknown", "page"),
    ("created[since]=1", "parameter_unknown", "created[since]"),
    ("created[gte]=yesterday", "parameter_invalid_integer", "created[gte]"),
    ("expand[]=data.name", None, "expand"),
    ("limit", None, None),
)


def test_what_a_list_refuses(account: StripeAccount, client: httpx.Client) -> None:
    account.put("customer", {"name": "A"})
    for query, code, param in REFUSED:
        expected = {"status": 400, "code": code, "param": param}
        said = {name: value for name, value in expected.items() if value is not None}
        assert _error(client.get(f"/v1/customers?{query}")) == said, query


def test_created_has_four_bounds(account: StripeAccount, client: httpx.Client, clock: Clock) -> None:
    made = []
    for n in range(4):
        clock.now = NOON + timedelta(seconds=n)
        made.append(account.put("customer", {}))
    at = int(NOON.timestamp()) + 2
    for query, expected in {
        f"created[gte]={at}": made[2:],
        f"created[gt]={at}": made[3:],
        f"created[lt]={at}": made[:2],
        f"created[lte]={at}": made[:3],
        f"created={at}": [made[2]],
        f"created[gt]={at - 2}&created[lt]={at}": [made[1]],
    }.items():
        assert [one["id"] for one in client.get(f"/v1/customers?{query}").json()["data"]] == expected[::-1], query


def test_an_object_that_is_not_there(account: StripeAccount, client: httpx.Client) -> None:
    missing = {"status": 404, "code": "resource_missing", "param": "id"}
    assert _error(client.get("/v1/customers/cus_gone")) == missing
    assert _error(client.get("/v1/invoices/in_gone/lines")) == missing
    assert _error(client.get("/v1/custmers")) == {"status": 404}
    assert _error(client.put("/v1/customers/cus_1")) == {"status": 404}
    customer, product = account.put("customer", {}), account.put("product", {})
    account.remove("customer", customer)
    account.remove("product", product)
    stub = {"id": customer, "object": "customer", "deleted": True}
    assert client.get(f"/v1/customers/{customer}").json() == stub
    assert _error(client.get(f"/v1/products/{product}")) == missing


def test_subscriptions_that_ended_are_asked_for(account: StripeAccount, client: httpx.Client) -> None:
    customer = account.put("customer", {})
    active, ended = (account.put("subscription", {"customer": customer}) for _ in range(2))
    account.end(ended)

    def listed(query: str) -> list[str]:
        return [one["id"] for one in client.get(f"/v1/subscriptions?{query}").json()["data"]]

    assert listed("") == [active]
    assert listed("status=all") == [ended, active]
    assert listed("status=canceled") == [ended]
    assert listed(f"customer={customer}") == [active]
    assert client.get("/v1/subscriptions?status=over").status_code == 400
    assert _error(client.get("/v1/subscriptions?customer=cus_gone"))["param"] == "customer"


def test_lists_within_objects_go_on_elsewhere(account: StripeAccount, client: httpx.Client) -> None:
    invoice = account.put("invoice", {})
    lines = [account.put("line_item", {"invoice": invoice}) for _ in range(3)]
    held = client.get(f"/v1/invoices/{invoice}").json()["lines"]
    assert ([one["id"] for one in held["data"]], held["has_more"]) == (lines[:0:-1], True)
    rest = client.get(held["url"], params={"starting_after": lines[1]}).json()
    assert [one["id"] for one in rest["data"]] == lines[:1]
    subscription = account.put("subscription", {})
    item = account.put("subscription_item", {"subscription": subscription})
    held = client.get(f"/v1/subscriptions/{subscription}").json()["items"]
    assert client.get(held["url"]).json()["data"][0]["id"] == item
    assert _error(client.get("/v1/subscription_items"))["code"] == "parameter_missing"


def test_tiers_and_other_objects_are_expanded(account: StripeAccount, client: httpx.Client) -> None:
    price = account.put("price", {"tiers": [{"up_to": None, "unit_amount": 1}]})
    assert "tiers" not in client.get(f"/v1/prices/{price}").json()
    assert client.get("/v1/prices?expand[]=data.tiers").json()["data"][0]["tiers"] == [
        {"up_to": None, "unit_amount": 1}
    ]
    customer = account.put("customer", {"name": "Acme"})
    invoice = account.put("invoice", {"customer": customer})
    assert client.get(f"/v1/invoices/{invoice}?expand[]=customer").json()["customer"]["name"] == "Acme"
    assert client.get(f"/v1/invoices/{invoice}?expand[]=a.b.c.d.e").status_code == 400


def test_events_are_kept_for_thirty_days(account: StripeAccount, client: httpx.Client, clock: Clock) -> None:
    account.put("customer", {})
    clock.now += timedelta(days=30)
    assert len(client.get("/v1/events").json()["data"]) == 1
    clock.now += timedelta(seconds=1)
    account.put("product", {})
    (event,) = client.get("/v1/events").json()["data"]
    assert (event["type"], event["data"]["object"]["object"]) == ("product.created", "product")


def test_events_are_filtered_by_type(account: StripeAccount, client: httpx.Client) -> None:
    product = account.put("product", {})
    account.put("product", {"id": product, "name": "New"})
    account.put("customer", {})

    def types(query: str) -> list[str]:
        return [event["type"] for event in client.get(f"/v1/events?{query}").json()["data"]]

    assert types("type=product.*") == ["product.updated", "product.created"]
    assert types("type=customer.created") == ["customer.created"]
    assert types("types[]=customer.created&types[]=product.updated") == ["customer.created", "product.updated"]
    assert types("types[0]=product.created") == ["product.created"]
    many = "&".join(f"types[]=t{n}" for n in range(21))
    assert client.get(f"/v1/events?{many}").status_code == 400
    changed = client.get("/v1/events?types[]=product.updated").json()["data"][0]
    assert changed["data"]["previous_attributes"] == {"name": ""}


def test_shapes_are_those_of_the_version(account: StripeAccount, client: httpx.Client) -> None:
    subscription = account.put("subscription", {})
    account.put("subscription_item", {"subscription": subscription, "current_period_end": 7, "current_period_start": 5})
    details = {"subscription_details": {"subscription": subscription}, "type": "subscription_details"}
    invoice = account.put("invoice", {"parent": details, "total_taxes": [{"amount": 19, "tax_behavior": "inclusive"}]})
    of_item = {"subscription_item_details": {"subscription": subscription, "subscription_item": "si_1"}}
    pricing = {"price_details": {"price": "price_1", "product": "prod_1"}, "unit_amount_decimal": "5"}
    account.put("line_item", {"invoice": invoice, "parent": of_item, "pricing": pricing})
    older = {"Stripe-Version": "2024-06-20"}
    new, old = (client.get(f"/v1/subscriptions/{subscription}", headers=h).json() for h in ({}, older))
    assert (new["items"]["data"][0]["current_period_end"], "current_period_end" in new) == (7, False)
    assert (old["current_period_end"], "current_period_end" in old["items"]["data"][0]) == (7, False)
    old = client.get(f"/v1/invoices/{invoice}", headers=older).json()
    assert (old["subscription"], old["tax"], "parent" in old) == (subscription, 19, False)
    line = old["lines"]["data"][0]
    assert (line["price"]["product"], line["subscription_item"], line["type"]) == ("prod_1", "si_1", "subscription")


@pytest.mark.parametrize("version", ["2026", "soon", "2026-04-22", "2026-04-22.poppy", "2020-08-27.basil", ""])
def test_a_version_that_is_none(version: str) -> None:
    with pytest.raises(Refusal, match="Invalid Stripe API version"):
        Version.of(version)


def test_a_right_that_was_taken(server: StripeServer, client: httpx.Client) -> None:
    server.keys.forbid("invoice")
    assert client.get("/v1/invoices").status_code == 403
    assert client.get("/v1/customers").status_code == 200
    server.keys.allow("invoice")
    assert client.get("/v1/invoices").status_code == 200
    server.keys.revoke()
    assert client.get("/v1/customers").status_code == 401


def test_more_than_the_limit_is_refused_and_counted(account: StripeAccount) -> None:
    with (
        StripeServer(account, api_key=KEY, per_s=5) as server,
        httpx.Client(base_url=server.url, verify=TLS) as client,
    ):
        replies = [client.get("/v1/customers", auth=(KEY, "")) for _ in range(8)]
        refused = [reply for reply in replies if reply.status_code == 429]
        assert refused
        assert server.over_limit == len(refused)
        assert _error(refused[0])["code"] == "rate_limit"


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("created[gte]=5", {"created": {"gte": "5"}}),
        ("items[0][price]=p&items[1][price]=q", {"items": [{"price": "p"}, {"price": "q"}]}),
        ("expand[]=a&expand[]=b", {"expand": ["a", "b"]}),
        ("0=a", {"0": "a"}),
    ],
)
def test_parameters_are_form_encoded(text: str, params: Any) -> None:
    assert decoded(text) == params


@pytest.mark.parametrize("text", ["a[=1", "[x]=1", "a=1&a[b]=2", "a", "a]=1"])
def test_parameters_that_cannot_be_read(text: str) -> None:
    with pytest.raises(Refusal):
        decoded(text)
