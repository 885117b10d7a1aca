"""Every interesting HTTP status, once, for every channel that speaks HTTP: may the outbox try again?"""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from alerts.channel import Channel
from alerts.errors import AlertError, PermanentError, TransientError
from alerts.message import Notice
from alerts.slack import SlackChannel
from alerts.webhook import WebhookChannel
from sandbox.slack_sink import SlackSink
from sandbox.webhook_sink import WebhookSink

STATUSES: dict[int, Literal["ok", "transient", "permanent"]] = {
    200: "ok",
    201: "ok",
    202: "ok",
    300: "permanent",
    301: "permanent",
    302: "permanent",
    303: "permanent",
    304: "permanent",
    307: "permanent",
    308: "permanent",
    400: "permanent",
    401: "permanent",
    402: "permanent",
    403: "permanent",
    404: "permanent",
    405: "permanent",
    406: "permanent",
    408: "transient",
    409: "permanent",
    410: "permanent",
    411: "permanent",
    413: "permanent",
    414: "permanent",
    415: "permanent",
    421: "permanent",
    422: "permanent",
    423: "permanent",
    425: "transient",
    429: "transient",
    431: "permanent",
    451: "permanent",
    500: "transient",
    501: "transient",
    502: "transient",
    503: "transient",
    504: "transient",
    507: "transient",
    520: "transient",
    599: "transient",
}

Sink = SlackSink | WebhookSink
NOW = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


@pytest.fixture(params=["slack", "webhook"])
def sink(request: pytest.FixtureRequest, slack: SlackSink, webhook: WebhookSink) -> Sink:
    return slack if request.param == "slack" else webhook


@pytest.fixture
def channel(sink: Sink, now: datetime) -> Channel:
    if isinstance(sink, SlackSink):
        return SlackChannel(sink.webhook_url)
    return WebhookChannel(sink.url, "s3cret", lambda: now)


def outcome(channel: Channel, notice: Notice) -> str:
    try:
        channel.send(notice)
    except TransientError:
        return "transient"
    except PermanentError:
        return "permanent"
    return "ok"


@pytest.mark.parametrize(("status", "expected"), STATUSES.items())
def test_status_decides_whether_to_try_again(
    status: int, expected: str, sink: Sink, channel: Channel, notice: Notice
) -> None:
    sink.fail_next(status)
    assert outcome(channel, notice) == expected


def test_the_same_notice_goes_through_after_a_transient_answer(sink: Sink, channel: Channel, notice: Notice) -> None:
    sink.fail_next(503, times=2)
    assert [outcome(channel, notice) for _ in range(3)] == ["transient", "transient", "ok"]
    assert len(sink.wait_for(1)) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "30"}, timedelta(seconds=30)),
        ({"Retry-After": "0"}, timedelta()),
        ({"Retry-After": "9" * 40}, timedelta(days=1)),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_handed_on(
    headers: dict[str, str], wait: timedelta | None, sink: Sink, channel: Channel, notice: Notice
) -> None:
    sink.fail_next(429, headers=headers)
    with pytest.raises(TransientError) as caught:
        channel.send(notice)
    assert caught.value.retry_after == wait


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_delivers_nothing_to_the_new_address(
    status: int, sink: Sink, channel: Channel, notice: Notice, now: datetime
) -> None:
    with WebhookSink() as elsewhere:
        sink.fail_next(status, headers={"Location": elsewhere.url})
        with pytest.raises(AlertError):
            channel.send(notice)
        assert elsewhere.deliveries == []
        # The other address does answer, so an empty list says something.
        WebhookChannel(elsewhere.url, "s3cret", lambda: now).send(notice)
        assert len(elsewhere.deliveries) == 1


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        yield port


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def slack_at(port: int) -> Channel:
    return SlackChannel(f"http://127.0.0.1:{port}/services/T0/B0/secret", timeout=1)


def webhook_at(port: int) -> Channel:
    return WebhookChannel(f"http://127.0.0.1:{port}/secret", "s3cret", lambda: NOW, timeout=0.3)


@pytest.mark.parametrize("at", [slack_at, webhook_at])
def test_no_answer_in_time_is_transient(at: Callable[[int], Channel], silent_port: int, notice: Notice) -> None:
    with pytest.raises(TransientError, match="did not answer within"):
        at(silent_port).send(notice)


@pytest.mark.parametrize("at", [slack_at, webhook_at])
def test_nobody_listening_is_transient(at: Callable[[int], Channel], closed_port: int, notice: Notice) -> None:
    with pytest.raises(TransientError, match="could not be reached"):
        at(closed_port).send(notice)
