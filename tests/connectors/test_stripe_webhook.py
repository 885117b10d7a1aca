"""What Stripe posts: signed by the simulator as Stripe signs it, and read; and everything that is not that."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Notified
from connectors.errors import WebhookRefused
from connectors.registry import KINDS
from connectors.stripe.webhook import read
from sandbox.stripe import StripeAccount, StripeServer
from sandbox.stripe.webhooks import message, signature
from sandbox.webhook_sink import WebhookSink
from tests.connectors.conftest import NOON, Clock

SECRET, OTHER = "whsec_hush", "whsec_next"
BODY = message({"id": "evt_1", "type": "customer.updated", "data": {"object": {"id": "cus_1", "object": "customer"}}})
MOMENT = int(NOON.timestamp())


def _headers(body: bytes = BODY, *secrets: str, moment: int = MOMENT) -> dict[str, str]:
    return {"stripe-signature": signature(body, secrets or (SECRET,), moment)}


def _posted(thing: Any, kind: str = "some.event") -> Notified:
    body = message({"id": "evt_1", "type": kind, "data": {"object": thing}})
    return read(_headers(body), body, SECRET, NOON)


def test_an_event_of_the_account_arrives_over_the_wire(clock: Clock) -> None:
    account = StripeAccount(clock)
    invoice = account.put("invoice", {"customer": "cus_1"})
    event = account.all("event")[0]["id"]
    with StripeServer(account, api_key="sk_test_1") as server, WebhookSink() as sink:
        assert server.post_event(event, sink.url, [SECRET]) == 200
        (delivery,) = sink.wait_for(1)
    notified = read(delivery.headers, delivery.body, SECRET, clock())
    named = {"invoice": (invoice,), "line_item": (invoice,), "invoice_payment": (invoice,)}
    assert notified == Notified(event, "invoice.created", named)


def test_it_is_the_kinds_reader() -> None:
    assert KINDS["stripe"].webhook is read


def test_while_a_secret_is_replaced_either_counts() -> None:
    for secret in (SECRET, OTHER):
        assert read(_headers(BODY, SECRET, OTHER), BODY, secret, NOON).id == "evt_1"


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_five_minutes_either_way_are_tolerated(off: int) -> None:
    assert read(_headers(), BODY, SECRET, NOON + timedelta(seconds=off)).id == "evt_1"


@pytest.mark.parametrize("off", [-301, 301])
def test_more_is_not(off: int) -> None:
    with pytest.raises(WebhookRefused, match="too long before or after"):
        read(_headers(), BODY, SECRET, NOON + timedelta(seconds=off))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        f"t={MOMENT}",
        "v1=00",
        f"t={MOMENT},v0=00",
        "t=x,v1=00",
        f"t={MOMENT},t={MOMENT},v1=00",
        "t=" + "9" * 30,
    ],
)
def test_without_a_signature_nothing_is_read(header: str) -> None:
    with pytest.raises(WebhookRefused, match="has no signature"):
        read({"stripe-signature": header}, BODY, SECRET, NOON)


@given(st.binary(max_size=40), st.text(max_size=20))
def test_another_body_or_secret_is_refused(body: bytes, secret: str) -> None:
    headers = _headers()
    with pytest.raises(WebhookRefused):
        read(headers, body, SECRET, NOON)
    with pytest.raises(WebhookRefused):
        read(headers, BODY, secret, NOON)


def test_a_signature_that_is_no_ascii_is_only_wrong() -> None:
    with pytest.raises(WebhookRefused, match="is wrong"):
        read({"stripe-signature": f"t={MOMENT},v1=é"}, BODY, SECRET, NOON)


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"id": 1, "type": "x"}', b'{"type": "x"}', b"\xff"])
def test_what_is_signed_and_no_event(content: bytes) -> None:
    with pytest.raises(WebhookRefused, match=r"not JSON|not an event"):
        read(_headers(content), content, SECRET, NOON)


def test_what_an_event_names() -> None:
    subscription = {"id": "sub_1", "object": "subscription"}
    assert _posted(subscription).records == {"subscription": ("sub_1",), "subscription_item": ("sub_1",)}
    payment = {"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1"}
    assert _posted(payment).records == {"invoice_payment": ("inpay_1",), "invoice": ("in_1",)}
    assert _posted({"id": "price_1", "object": "price"}).records == {"price": ("price_1",), "tier": ("price_1",)}
    assert _posted({"id": "pm_1", "object": "payment_method"}).records == {"payment_method": ("pm_1",)}


@pytest.mark.parametrize("thing", [{"object": "invoice"}, None, [], {"id": 5, "object": "invoice"}, {"id": "x"}])
def test_an_event_about_nothing_that_exists_names_nothing(thing: Any) -> None:
    assert _posted(thing, "invoice.upcoming").records == {}


def test_nothing_of_the_secret_is_in_a_refusal() -> None:
    for body in (BODY, json.dumps({}).encode()):
        with pytest.raises(WebhookRefused) as refused:
            read(_headers(BODY, OTHER), body, SECRET, NOON)
        assert SECRET not in str(refused.value)
