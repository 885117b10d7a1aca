import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from sandbox.inbox import Inbox
from sandbox.slack_sink import SlackSink
from sandbox.smtp_sink import SmtpSink
from sandbox.webhook_sink import WebhookSink
from tests.tls import TLS

Block = dict[str, Any]


@pytest.fixture(scope="module")
def slack_server() -> Iterator[SlackSink]:
    with SlackSink() as sink:
        yield sink


@pytest.fixture
def slack(slack_server: SlackSink) -> SlackSink:
    slack_server.clear()
    return slack_server


def answer(sink: SlackSink, payload: object) -> tuple[int, str]:
    response = httpx.post(sink.webhook_url, json=payload, verify=TLS)
    return response.status_code, response.text


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def section(**parts: object) -> Block:
    return {"type": "section", **parts}


def button(**parts: object) -> Block:
    return {"type": "button", "text": plain("Open"), "url": "https://example.com/", **parts}


TAKEN: list[object] = [
    {"text": "hello"},
    {"text": "x" * 39_000},
    {"text": "hello", "blocks": [{"type": "divider"}] * 50},
    {"blocks": [{"type": "header", "text": plain("x" * 150)}]},
    {"blocks": [section(text=mrkdwn("x" * 3000))]},
    {"blocks": [section(fields=[mrkdwn("x")] * 10, accessory=button())]},
    {"blocks": [{"type": "context", "elements": [plain("x")] * 10}]},
    {"blocks": [{"type": "actions", "elements": [button(action_id="open")]}]},
]


@pytest.mark.parametrize("payload", TAKEN)
def test_slack_takes_what_is_within_its_limits(payload: object, slack: SlackSink) -> None:
    assert answer(slack, payload) == (200, "ok")
    assert slack.messages == [payload]


REFUSED: list[tuple[object, str]] = [
    ([], "invalid_payload"),
    ({"text": 5}, "invalid_payload"),
    ({"blocks": {}}, "invalid_payload"),
    ({}, "no_text"),
    ({"text": ""}, "no_text"),
    *(
        ({"text": "hello", "blocks": blocks}, "invalid_blocks")
        for blocks in [
            [{"type": "divider"}] * 51,
            ["divider"],
            [{"type": "banner"}],
            [{"type": "divider", "text": plain("x")}],
            [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}],
            [{"type": "divider", "block_id": "x" * 256}],
            [{"type": "header", "text": plain("x" * 151)}],
            [{"type": "header", "text": mrkdwn("x")}],
            [{"type": "header", "text": plain("")}],
            [section()],
            [section(text=mrkdwn("x" * 3001))],
            [section(text="x")],
            [section(text={"type": "mrkdwn", "text": "x", "emoji": True})],
            [section(fields=[mrkdwn("x")] * 11)],
            [section(fields=[mrkdwn("x" * 2001)])],
            [section(text=mrkdwn("x"), accessory=button(text=plain("x" * 76)))],
            [section(text=mrkdwn("x"), accessory=button(url="javascript:alert(1)"))],
            [section(text=mrkdwn("x"), accessory=button(url="https://example.com/" + "x" * 3000))],
            [{"type": "context", "elements": [plain("x")] * 11}],
            [{"type": "context", "elements": []}],
            [{"type": "actions", "elements": [plain("x")]}],
            [section(text=mrkdwn("x" * 3000))] * 5,
        ]
    ),
]


@pytest.mark.parametrize(("payload", "word"), REFUSED)
def test_slack_refuses_what_is_not(payload: object, word: str, slack: SlackSink) -> None:
    assert answer(slack, payload) == (400, word)
    assert slack.messages == []


def test_slack_knows_one_webhook_and_only_posts(slack: SlackSink) -> None:
    assert httpx.post(slack.webhook_url + "x", json={"text": "hello"}, verify=TLS).text == "no_service"
    assert httpx.get(slack.webhook_url, verify=TLS).status_code == 405
    assert httpx.post(slack.webhook_url, content=b"{", verify=TLS).text == "invalid_payload"


def test_slack_fails_as_often_as_it_is_told_to(slack: SlackSink) -> None:
    slack.fail_next(429, times=2, headers={"Retry-After": "7"})
    slack.fail_next(404)
    first = httpx.post(slack.webhook_url, json={"text": "hello"}, verify=TLS)
    assert (first.status_code, first.text, first.headers["Retry-After"]) == (429, "rate_limited", "7")
    later = [answer(slack, {"text": "hello"}) for _ in range(3)]
    assert later == [(429, "rate_limited"), (404, "no_service"), (200, "ok")]
    assert len(slack.messages) == 1


def test_a_sink_keeps_its_address_over_a_restart() -> None:
    sink = SlackSink()
    with sink:
        before = sink.webhook_url
    with pytest.raises(httpx.ConnectError):
        httpx.post(before, json={"text": "hello"}, verify=TLS)
    with sink:
        assert answer(sink, {"text": "hello"}) == (200, "ok")
        assert sink.webhook_url == before


@pytest.fixture(scope="module")
def smtp_server() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def smtp(smtp_server: SmtpSink) -> SmtpSink:
    smtp_server.clear()
    return smtp_server


@pytest.fixture
def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Größe"
    message["From"], message["To"] = "a@example.com", "b@example.com"
    message.set_content("Body with ü\n.\nand a line with one dot\n")
    return message


def send(sink: SmtpSink, message: EmailMessage, *recipients: str) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
        client.send_message(message, "bounce@example.com", recipients or ["b@example.com"])


def test_the_relay_keeps_message_and_envelope(smtp: SmtpSink, letter: EmailMessage) -> None:
    send(smtp, letter, "b@example.com", "c@example.com")
    [message] = smtp.wait_for(1)
    assert message["Subject"] == "Größe"
    assert message.get_content().splitlines() == letter.get_content().splitlines()
    assert (message.mail_from, message.rcpt_tos) == ("bounce@example.com", ("b@example.com", "c@example.com"))
    assert not message.tls
    assert message.user is None


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
def test_the_relay_fails_at_the_planned_command(at: Any, smtp: SmtpSink, letter: EmailMessage) -> None:
    smtp.fail_next(451, times=2, at=at)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPException, match="451"):
            send(smtp, letter)
    assert smtp.messages == []
    send(smtp, letter)
    assert len(smtp.messages) == 1


def test_the_relay_keeps_its_port_over_a_restart(letter: EmailMessage) -> None:
    sink = SmtpSink()
    with sink:
        port = sink.port
    with pytest.raises(ConnectionRefusedError):
        send(sink, letter)
    with sink:
        send(sink, letter)
        assert (sink.port, len(sink.messages)) == (port, 1)


def test_the_endpoint_keeps_headers_and_raw_body() -> None:
    with WebhookSink() as sink:
        sink.fail_next(503, headers={"Retry-After": "1"})
        assert httpx.post(sink.url, content=b"{}", verify=TLS).headers["retry-after"] == "1"
        assert httpx.post(sink.url, content=b'{"a": 1}', headers={"X-One": "1"}, verify=TLS).status_code == 200
        [delivery] = sink.wait_for(1)
        assert (delivery.body, delivery.document, delivery.headers["x-one"]) == (b'{"a": 1}', {"a": 1}, "1")


def test_waiting_ends_when_the_last_message_arrives() -> None:
    inbox = Inbox[int, int]()
    waiting = threading.Event()
    seen: list[list[int]] = []

    def wait() -> None:
        waiting.set()
        seen.append(inbox.wait_for(2, timeout=10))

    reader = threading.Thread(target=wait)
    reader.start()
    assert waiting.wait(timeout=10)
    inbox.add(1)
    inbox.add(2)
    reader.join(timeout=10)
    assert seen == [[1, 2]]


@pytest.mark.parametrize("arrived", [[], [1]])
def test_waiting_in_vain_says_how_many_came(arrived: list[int]) -> None:
    inbox = Inbox[int, int]()
    for item in arrived:
        inbox.add(item)
    with pytest.raises(TimeoutError, match=rf"{len(arrived)} of 2 messages arrived"):
        inbox.wait_for(2, timeout=0.01)
