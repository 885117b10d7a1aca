import hashlib
import hmac
import json
import logging
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alerts.errors import AlertError, PermanentError, TransientError
from alerts.message import Notice
from alerts.webhook import WebhookChannel, body
from sandbox.serving import LoopbackServer
from sandbox.webhook_sink import WebhookSink


def test_a_receiver_can_verify_the_signature(webhook: WebhookSink, notice: Notice, now: datetime) -> None:
    receipt = WebhookChannel(webhook.url, "s3cret", lambda: now).send(notice)
    [delivery] = webhook.wait_for(1)
    stamp, digest = (part.split("=", 1)[1] for part in delivery.headers["tieout-signature"].split(","))
    signed = stamp.encode() + b"." + delivery.body
    assert stamp == str(int(now.timestamp()))
    assert digest == hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert receipt.reference == "status 200"


def test_the_document_holds_exact_values(webhook: WebhookSink, notice: Notice, now: datetime) -> None:
    WebhookChannel(webhook.url, "s3cret", lambda: now).send(notice)
    [delivery] = webhook.wait_for(1)
    [case] = delivery.document["cases"]
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.document["schema"] == "tieout.notice.v1"
    assert delivery.document["now"] == "2026-11-27T15:00:00+00:00"
    assert delivery.document["more"] == 3
    assert (case["reference"], case["amount"], case["currency"]) == ("EXC-12", "1200.0000", "USD")
    assert case["due_at"] == "2026-11-28T17:05:00+00:00"
    assert case["account"] == "Northwind & Söhne <EMEA>"
    assert case["rows"][1] == {
        "system": "zuora",
        "record": "A-S00012",
        "fields": [["quantity", "500"], ["unit price", "40.00"]],
    }


def test_every_attempt_has_the_same_key_and_body(webhook: WebhookSink, notice: Notice, now: datetime) -> None:
    channel = WebhookChannel(webhook.url, "s3cret", lambda: now)
    webhook.fail_next(503)
    with pytest.raises(TransientError, match="cannot take the message now"):
        channel.send(notice)
    channel.send(notice)
    channel.send(notice)
    first, second = webhook.wait_for(2)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "opened:group-7:1"
    assert first.body == second.body


@pytest.mark.parametrize(
    ("key", "sent"), [("a b\r\nX-Evil: 1", "a%20b%0D%0AX-Evil:%201"), ("größe", "gr%C3%B6%C3%9Fe"), ("5%", "5%25")]
)
def test_a_key_cannot_add_a_header(key: str, sent: str, webhook: WebhookSink, notice: Notice, now: datetime) -> None:
    WebhookChannel(webhook.url, "s3cret", lambda: now).send(replace(notice, dedupe_key=key))
    [delivery] = webhook.wait_for(1)
    assert delivery.headers["idempotency-key"] == sent
    assert "x-evil" not in delivery.headers


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(data=st.data())
def test_any_notice_is_strict_json(data: st.DataObject, notices: st.SearchStrategy[Notice]) -> None:
    notice = data.draw(notices)
    document = json.loads(body(notice).decode("utf-8"))
    assert len(document["cases"]) == len(notice.cases)
    assert [case["amount"] for case in document["cases"]] == [str(card.amount) for card in notice.cases]


@pytest.mark.parametrize("status", [200, 307, 410, 429, 502])
def test_path_and_secret_are_in_no_log_and_no_error(
    status: int, webhook: WebhookSink, notice: Notice, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    webhook.fail_next(status, headers={"Location": webhook.url + "?key=t0ken"})
    said = ""
    try:
        WebhookChannel(webhook.url + "?key=t0ken", "s3cret", lambda: now).send(notice)
    except AlertError as error:
        said = f"{error!r} {error.__cause__!r}"
    for secret in ("t0ken", "s3cret"):
        assert secret not in said + caplog.text


def test_other_threads_may_log_meanwhile_and_everybody_afterwards(
    notice: Notice, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    async def receive(_: Request) -> Response:
        logging.getLogger("httpx").warning("a request of another thread")
        return Response()

    caplog.set_level(logging.INFO)
    with LoopbackServer(Starlette(routes=[Route("/", receive, methods=["POST"])])) as server:
        WebhookChannel(server.url, "s3cret", lambda: now).send(notice)
    logging.getLogger("httpx").warning("a later request")
    logged = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert logged == ["a request of another thread", "a later request"]


def test_a_moved_receiver_is_named(webhook: WebhookSink, notice: Notice, now: datetime) -> None:
    webhook.fail_next(301)
    with pytest.raises(PermanentError, match="Redirects are not followed: set the final URL"):
        WebhookChannel(webhook.url, "s3cret", lambda: now).send(notice)


def test_an_unsigned_webhook_is_refused(now: datetime) -> None:
    with pytest.raises(PermanentError, match="no signing secret"):
        WebhookChannel("https://example.com/", "", lambda: now)
