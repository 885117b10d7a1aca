"""Every status, and every way in which an answer can be no answer, becomes one of our errors."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConnectorError, LoginRefused, PermanentError, TransientError
from connectors.http import Wire, parsed, retry_after
from connectors.tokens import Bearer
from tests.connectors.conftest import NOON, Clock

BASE = "https://source.test"
TRANSIENT = (408, 425, 429, 500, 502, 503, 504, 599)
REDIRECTS = (301, 302, 307)
ANSWERS = (200, 201, 400, 401, 403, 404, 409, 422)


@pytest.fixture
def wire(clock: Clock) -> Wire:
    return Wire("source", BASE, clock)


@pytest.fixture
def bearer(wire: Wire, clock: Clock) -> Bearer:
    return Bearer(wire, "/token", lambda: {"client_secret": "hush"}, clock)


@pytest.mark.parametrize("status", TRANSIENT)
@respx.mock(base_url=BASE)
def test_what_may_help_to_try_again(respx_mock: respx.MockRouter, wire: Wire, status: int) -> None:
    respx_mock.get("/x").respond(status, html="<html>busy</html>")
    with pytest.raises(TransientError, match=f"source: GET /x was answered with HTTP {status}"):
        wire.send("GET", "/x")


@pytest.mark.parametrize("status", REDIRECTS)
@respx.mock(base_url=BASE)
def test_a_redirect_is_not_followed(respx_mock: respx.MockRouter, wire: Wire, status: int) -> None:
    respx_mock.get("/x").respond(status, headers={"location": "https://elsewhere.test/"})
    with pytest.raises(PermanentError, match="redirect"):
        wire.send("GET", "/x")


@pytest.mark.parametrize("status", ANSWERS)
@respx.mock(base_url=BASE)
def test_what_the_connector_must_judge_itself(respx_mock: respx.MockRouter, wire: Wire, status: int) -> None:
    respx_mock.get("/x").respond(status, json={"a": 1})
    answer = wire.send("GET", "/x")
    assert (answer.status, answer.body, answer.ok) == (status, {"a": 1}, status < 300)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="too deep"),
        b'{"records": [{"Id": "1"',
        b"<html>signed out</html>",
        b"",
        b'{"a": NaN}',
    ],
)
@respx.mock(base_url=BASE)
def test_a_success_that_is_not_whole_json(respx_mock: respx.MockRouter, wire: Wire, body: bytes) -> None:
    respx_mock.get("/x").respond(200, content=body)
    with pytest.raises(TransientError, match="not JSON, or not all of it"):
        wire.send("GET", "/x")


@respx.mock(base_url=BASE)
def test_a_refusal_in_html_has_no_body(respx_mock: respx.MockRouter, wire: Wire) -> None:
    respx_mock.get("/x").respond(403, html="<html>no</html>")
    assert wire.send("GET", "/x").body is None


@pytest.mark.parametrize(
    "error", [httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError]
)
@respx.mock(base_url=BASE)
def test_no_answer(respx_mock: respx.MockRouter, wire: Wire, error: type[httpx.TransportError]) -> None:
    respx_mock.get("/x").mock(side_effect=error("secret detail"))
    with pytest.raises(TransientError, match=f"got no answer .{error.__name__}") as caught:
        wire.send("GET", "/x", params={"q": "secret"})
    assert "secret" not in str(caught.value)


def test_fractions_stay_text() -> None:
    assert parsed(b'{"a": 10.10, "b": 1e-3, "c": 5}') == {"a": "10.10", "b": "1e-3", "c": 5}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(DOCUMENTS, st.booleans())
def test_documents_come_as_the_standard_library_reads_them(document: Any, escaped: bool) -> None:
    text = json.dumps(document, ensure_ascii=escaped)
    assert parsed(text.encode("utf-8", "replace")) == json.loads(text.encode("utf-8", "replace"), parse_float=str)


def test_half_a_character_spoils_one_text_and_not_the_page() -> None:
    assert parsed(b'["\\ud800", 1.50]') == ["\ud800", "1.50"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"ratelimit-reset": "1200"}, 1200.0),
        ({"retry-after": "1", "ratelimit-reset": "9"}, 1.0),
        ({"retry-after": "Tue, 01 Dec 2026 12:00:30 GMT", "date": "Tue, 01 Dec 2026 12:00:00 GMT"}, 30.0),
        ({"retry-after": "Tue, 01 Dec 2026 11:00:00 GMT", "date": "Tue, 01 Dec 2026 12:00:00 GMT"}, 0.0),
        ({"retry-after": "9999999999"}, 86_400.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_is_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@respx.mock(base_url=BASE)
def test_the_time_is_the_sources(respx_mock: respx.MockRouter, wire: Wire, clock: Clock) -> None:
    respx_mock.get("/x").respond(200, json={}, headers={"date": "Tue, 01 Dec 2026 12:00:30 GMT"})
    assert wire.source_time() == NOON
    wire.send("GET", "/x")
    clock.forward(minutes=5)
    assert wire.source_time() == NOON + timedelta(minutes=5, seconds=30)
    assert wire.source_time().tzinfo is UTC


@pytest.mark.parametrize(
    "url", ["", "source.test", "ftp://source.test", "https://", "https://u:p@source.test", "http://a?b"]
)
def test_a_base_url_that_is_none(url: str, clock: Clock) -> None:
    with pytest.raises(PermanentError, match="base URL of source"):
        Wire("source", url, clock)


@respx.mock(base_url=BASE)
def test_a_token_is_kept_until_shortly_before_its_end(
    respx_mock: respx.MockRouter, bearer: Bearer, clock: Clock
) -> None:
    token = respx_mock.post("/token").respond(200, json={"access_token": "t", "expires_in": "3600"})
    respx_mock.get("/x").respond(200, json={})
    for minutes in (0, 30, 58):
        clock.now = NOON + timedelta(minutes=minutes)
        bearer.send("GET", "/x")
    assert token.call_count == 1
    clock.forward(minutes=1)
    bearer.send("GET", "/x")
    assert token.call_count == 2


@respx.mock(base_url=BASE)
def test_a_refused_token_is_renewed_once(respx_mock: respx.MockRouter, bearer: Bearer) -> None:
    token = respx_mock.post("/token").respond(200, json={"access_token": "t"})
    respx_mock.get("/x").mock(side_effect=[httpx.Response(401), httpx.Response(200, json={})])
    assert bearer.send("GET", "/x").ok
    assert token.call_count == 2
    respx_mock.get("/x").mock(side_effect=[httpx.Response(401), httpx.Response(401)])
    with pytest.raises(LoginRefused, match="with a new token"):
        bearer.send("GET", "/x")


@pytest.mark.parametrize("status", [400, 401, 403])
@respx.mock(base_url=BASE)
def test_a_refused_login_says_why_and_nothing_secret(respx_mock: respx.MockRouter, bearer: Bearer, status: int) -> None:
    respx_mock.post("/token").respond(status, json={"error": "invalid_grant", "error_description": "hush"})
    with pytest.raises(LoginRefused, match="invalid_grant") as caught:
        bearer.send("GET", "/x")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("answer", [{}, {"access_token": 5}, []])
@respx.mock(base_url=BASE)
def test_a_login_without_a_token(respx_mock: respx.MockRouter, bearer: Bearer, answer: object) -> None:
    respx_mock.post("/token").respond(200, json=answer)
    with pytest.raises(ConnectorError, match="without a token"):
        bearer.send("GET", "/x")


def test_now_is_not_read_from_the_machine(clock: Clock) -> None:
    clock.now = datetime(1999, 1, 1, tzinfo=UTC)
    assert Wire("source", BASE, clock).source_time() == clock.now
