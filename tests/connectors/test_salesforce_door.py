"""Answers that no simulator gives: cut off, HTML where JSON should be, logins without a token."""

import json
import traceback
from contextlib import closing
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from connectors.errors import ConnectorError, LoginRefused, PermanentError, TransientError
from connectors.mapping_file import parse
from connectors.retries import RetryPolicy
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from sandbox.serving import LoopbackServer
from tests.connectors.conftest import Clock
from tests.connectors.test_connector_salesforce import SNAPSHOT

TOKEN = {"access_token": "t", "instance_url": "https://elsewhere.test"}
DESCRIBED = {
    "fields": [
        {"name": "Id"},
        {"name": "Quantity__c"},
        {"name": "Product__c", "relationshipName": "Product__r", "referenceTo": ["Line__c"]},
        {"name": "ProductCode"},
    ]
}
Reply = tuple[int, bytes]


class Scripted:
    """Answers by path, the last of several replies for ever. A body in two parts is cut off after the first."""

    def __init__(self, **replies: Any) -> None:
        self._replies = {"token": [TOKEN], "describe": [DESCRIBED], **replies}
        self.paths: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        kind: str = scope["path"].rstrip("/").rpartition("/")[2]
        self.paths.append(kind)
        replies = self._replies[kind]
        status, body, length = _reply(replies.pop(0) if len(replies) > 1 else replies[0])
        headers = [(b"content-length", str(length).encode()), (b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": len(body) < length})


def _reply(given: Any) -> tuple[int, bytes, int]:
    status, body = given if isinstance(given, tuple) else (200, given)
    if isinstance(body, bytearray):
        return status, bytes(body), len(body) + 10
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, raw, len(raw)


@pytest.fixture
def policy() -> RetryPolicy:
    return RetryPolicy(attempts=2, sleep=lambda _: None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _read(script: Scripted, clock: Clock, policy: RetryPolicy) -> list[Any]:
    with LoopbackServer(script) as server:
        config = SalesforceConfig(server.url, "key", "hush", retries=policy)
        with closing(Salesforce(config, parse(SNAPSHOT), clock)) as connector:
            return [record for page in connector.changes("Line__c", None) for record in page.records]


def test_every_call_goes_to_the_configured_address(clock: Clock, policy: RetryPolicy) -> None:
    script = Scripted(query=[{"records": [{"Id": "1"}], "done": True}])
    assert _read(script, clock, policy) == [{"Id": "1"}]
    assert script.paths == ["token", "describe", "query"]


@pytest.mark.parametrize("broken", [b'{"records": [{"Id', b"<html>Maintenance</html>", b""])
def test_a_broken_page_is_asked_for_again(clock: Clock, policy: RetryPolicy, broken: bytes) -> None:
    page = {"records": [{"Id": "1"}], "done": True}
    assert _read(Scripted(query=[broken, page]), clock, policy) == [{"Id": "1"}]
    with pytest.raises(TransientError, match="not JSON, or not all of it"):
        _read(Scripted(query=[broken]), clock, policy)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ((400, {"error": "invalid_grant", "error_description": "secret"}), LoginRefused),
        ((400, b"<html>secret</html>"), LoginRefused),
        ((503, b"<html>secret</html>"), TransientError),
        ({"access_token": "t"}, TransientError),
        (b"<html>secret</html>", TransientError),
        ((302, b""), PermanentError),
    ],
)
def test_logins_that_end_badly(clock: Clock, policy: RetryPolicy, token: Any, kind: type[ConnectorError]) -> None:
    with pytest.raises(ConnectorError) as caught:
        _read(Scripted(token=[token]), clock, policy)
    assert isinstance(caught.value, kind)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_connection_that_breaks_off_within_a_page(clock: Clock, policy: RetryPolicy) -> None:
    page = {"records": [{"Id": "1"}], "done": True}
    assert _read(Scripted(query=[bytearray(b'{"records"'), page]), clock, policy) == [{"Id": "1"}]


def test_a_page_that_comes_twice_is_an_error(clock: Clock, policy: RetryPolicy) -> None:
    page = {"records": [{"Id": str(n)} for n in range(2_000)], "done": True}
    with pytest.raises(PermanentError, match="did not advance past 1999 of Line__c"):
        _read(Scripted(query=[page]), clock, policy)
