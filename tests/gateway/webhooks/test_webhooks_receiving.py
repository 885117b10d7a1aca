"""What the webhook answers over a socket: who is heard, what is kept, and that nothing is read meanwhile."""

import json
import threading
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alerts.webhook import signature
from gateway.webhooks.receiving import MOST_BYTES
from gateway.webhooks.tables import WebhookDelivery
from tests.gateway.webhooks.webhook_world import BILLING_SECRET, CRM_SECRET, WebhookWorld


def _kept(world: WebhookWorld) -> list[tuple[str, str, dict[str, Any], str]]:
    with world.installed.database.session() as session:
        rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.source, WebhookDelivery.message_id))
        return [(row.source, row.message_id, row.records, row.state) for row in rows]


def _is_problem(reply: httpx.Response, status: int, kind: str) -> str:
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["type"] == f"urn:tieout:problem:{kind}"
    assert CRM_SECRET not in reply.text
    assert BILLING_SECRET not in reply.text
    return str(problem["detail"])


def test_a_message_is_kept_before_it_is_answered(world: WebhookWorld) -> None:
    reply = world.signed({"Account": ["001", "002"]})
    assert reply.status_code == 202
    assert reply.json() == {"success": True, "id": "e-1", "duplicate": False}
    assert _kept(world) == [("crm", "e-1", {"Account": ["001", "002"]}, "pending")]


def test_the_sender_does_not_wait_for_the_source(world: WebhookWorld) -> None:
    world.systems.salesforce.stop()
    world.systems.zuora.stop()
    assert world.signed({"Account": ["001"]}).status_code == 202
    assert world.called_out("Invoice", "i-1").status_code == 202
    assert world.asked() == {}


def test_a_message_that_comes_again_is_kept_once(world: WebhookWorld) -> None:
    for n in range(3):
        reply = world.signed({"Account": ["001"]})
        assert (reply.status_code, reply.json()["duplicate"]) == (202, n > 0)
    # Another source may use the same id, and a vendor's second attempt has the first one's.
    for n in range(2):
        assert world.called_out("Invoice", "i-1", session="e-1").json()["duplicate"] is (n > 0)
    assert [(source, id_) for source, id_, _, _ in _kept(world)] == [("billing", "e-1"), ("crm", "e-1")]


def test_many_at_once_are_kept_once(world: WebhookWorld) -> None:
    answers: list[bool] = []

    def send() -> None:
        answers.append(world.signed({"Account": ["001"]}).json()["duplicate"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answers) == [False] + [True] * 7
    assert len(_kept(world)) == 1


def test_zuora_is_asked_for_its_password_first(world: WebhookWorld) -> None:
    reply = world.post("billing", b"{}", {})
    _is_problem(reply, 401, "webhook-refused")
    assert reply.headers["www-authenticate"] == 'Basic realm="tieout"'
    assert world.called_out("Invoice", "i-1").status_code == 202


def test_any_source_may_be_signed_for_in_our_own_way(world: WebhookWorld) -> None:
    body = json.dumps({"id": "e-9", "kind": "changed", "records": {"Invoice": ["i-1"]}}).encode()
    stamp = int(world.now.timestamp())
    headers = {"Tieout-Signature": signature(BILLING_SECRET.encode(), stamp, body)}
    assert world.post("billing", body, headers).status_code == 202


def test_a_refusal_does_not_tell_why(world: WebhookWorld) -> None:
    body = b'{"id": "e-1", "kind": "k", "records": {}}'
    right = signature(CRM_SECRET.encode(), int(world.now.timestamp()), body)
    old = signature(CRM_SECRET.encode(), int(world.now.timestamp()) - 301, body)
    early = signature(CRM_SECRET.encode(), int(world.now.timestamp()) + 301, body)
    replies = [
        world.post("crm", body, {}),
        world.post("crm", body, {"Tieout-Signature": right[:-1] + ("0" if right[-1] != "0" else "1")}),
        world.post("crm", body + b" ", {"Tieout-Signature": right}),
        world.post("crm", body, {"Tieout-Signature": old}),
        world.post("crm", body, {"Tieout-Signature": early}),
        world.post("crm", body, {"Tieout-Signature": "t=1,v1=\xe4\xf6".encode("latin-1")}),
    ]
    details = {_is_problem(reply, 401, "webhook-refused") for reply in replies}
    assert details == {"The message is not shown to come from the source."}
    assert _kept(world) == []


def test_a_replayed_message_changes_nothing(world: WebhookWorld) -> None:
    """Somebody kept a message and its signature: at once it is a duplicate, later it is refused."""
    sent_at = world.now
    assert world.signed({"Account": ["001"]}, at=sent_at).status_code == 202
    world.systems.forward(seconds=299)
    assert world.signed({"Account": ["001"]}, at=sent_at).json()["duplicate"] is True
    world.systems.forward(seconds=2)
    _is_problem(world.signed({"Account": ["001"]}, at=sent_at), 401, "webhook-refused")
    assert len(_kept(world)) == 1


@pytest.mark.parametrize("source", ["erp", "nobody", "crm-2"])
def test_a_source_that_takes_no_messages_is_not_told_from_none(world: WebhookWorld, source: str) -> None:
    assert _is_problem(world.signed({}, source=source), 404, "not-found") == "There is no such webhook."


def test_a_body_that_is_no_message_is_told_so(world: WebhookWorld) -> None:
    for body in (b"", b"[]", b'{"id": "e-1"}', b'{"id": "e-1", "kind": "k", "records": {"A": [null]}}'):
        headers = {"Tieout-Signature": signature(CRM_SECRET.encode(), int(world.now.timestamp()), body)}
        assert _is_problem(world.post("crm", body, headers), 422, "malformed-request").endswith(".")
    assert _kept(world) == []


def test_a_body_that_is_too_large_is_not_read(world: WebhookWorld) -> None:
    detail = _is_problem(world.post("crm", b" " * (MOST_BYTES + 1), {}), 413, "body-too-large")
    assert "262,144 bytes" in detail


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), header=st.binary(max_size=100), signed=st.booleans())
def test_nothing_that_is_sent_breaks_the_webhook(world: WebhookWorld, body: bytes, header: bytes, signed: bool) -> None:
    text = header.decode("latin-1")
    said = "".join(char for char in text if " " < char < "\x7f")
    if signed:
        said = signature(CRM_SECRET.encode(), int(world.now.timestamp()), body)
    reply = world.post("crm", body, {"Tieout-Signature": said})
    assert reply.status_code in ((202, 422) if signed else (401, 422))
