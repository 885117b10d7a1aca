"""Messages signed in our own way, and Zuora's callouts: only who knows the secret is heard, and only in the shape."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.webhook import signature
from connectors import signed
from connectors.contract import Notified
from connectors.errors import UnreadableMessage, WebhookRefused
from connectors.notified import MOST_KEYS, notified
from connectors.registry import KINDS
from connectors.zuora import callout
from tests.connectors.conftest import NOON

SECRET = "correct horse battery"
BODY = json.dumps({"id": "e-1", "kind": "price changed", "records": {"Contract": ["1", "2", "1"]}}).encode()
SAID = Notified("e-1", "price changed", {"Contract": ("1", "2")})
BASIC = "tieout:correct horse battery"


def _signed(body: bytes = BODY, secret: str = SECRET, at: datetime = NOON) -> dict[str, str]:
    """As Tieout's own alerts sign."""
    return {"tieout-signature": signature(secret.encode(), int(at.timestamp()), body)}


def test_what_tieout_signs_it_reads() -> None:
    assert signed.read(_signed(), BODY, SECRET, NOON) == SAID


@given(seconds=st.integers(-1_000, 1_000), body=st.binary(max_size=60))
def test_a_stamp_is_good_for_five_minutes_either_way(seconds: int, body: bytes) -> None:
    headers = _signed(body, at=NOON + timedelta(seconds=seconds))
    with pytest.raises(WebhookRefused) as caught:
        signed.read(headers, body, SECRET, NOON)
    assert isinstance(caught.value, UnreadableMessage) is (abs(seconds) <= 300)


@given(place=st.integers(0, len(BODY) - 1), change=st.integers(1, 255))
def test_one_changed_byte_is_another_message(place: int, change: int) -> None:
    other = bytearray(BODY)
    other[place] ^= change
    with pytest.raises(WebhookRefused, match="does not fit the body"):
        signed.read(_signed(), bytes(other), SECRET, NOON)


@given(header=st.text(max_size=200))
def test_no_header_but_the_right_one_is_heard(header: str) -> None:
    with pytest.raises(WebhookRefused) as caught:
        signed.read({"tieout-signature": header}, BODY, SECRET, NOON)
    assert SECRET not in str(caught.value)


@given(before=st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=3), place=st.integers(0, 3))
def test_one_of_several_signatures_is_enough(before: list[str], place: int) -> None:
    stamp, _, right = _signed()["tieout-signature"].partition(",")
    parts = [f"v1={other}" for other in before]
    parts.insert(min(place, len(parts)), right)
    header = ", ".join([stamp, *parts, "v0=old"])
    assert signed.read({"tieout-signature": header}, BODY, SECRET, NOON) == SAID


@pytest.mark.parametrize("header", ["", "t=1", "v1=ab", "t=1,t=2,v1=ab", "t=-1,v1=ab", "t=1e3,v1=ab", "t=٣,v1=ab"])
def test_half_a_signature_is_none(header: str) -> None:
    with pytest.raises(WebhookRefused):
        signed.read({"tieout-signature": header}, BODY, SECRET, datetime.fromtimestamp(1, UTC))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"id": "1", "kind": "k"}',
        b'{"id": "", "kind": "k", "records": {}}',
        b'{"id": "1", "kind": "k", "records": []}',
        b'{"id": "1", "kind": "k", "records": {"A": [true]}}',
        b'{"id": "1", "kind": "k", "records": {"A": [null]}}',
        b'{"id": "1", "kind": "k", "records": {"A": ["\\u0000"]}}',
        b'{"id": "\\ud800", "kind": "k", "records": {"A": ["1"]}}',
        json.dumps({"id": "x" * 256, "kind": "k", "records": {}}).encode(),
        json.dumps({"id": "1", "kind": "k", "records": {"A": [str(n) for n in range(MOST_KEYS + 1)]}}).encode(),
    ],
)
def test_a_signed_body_that_is_no_message(body: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        signed.read(_signed(body), body, SECRET, NOON)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(TEXTS, some, max_size=3),
    max_leaves=8,
)


@given(id_=ANYTHING, kind=ANYTHING, records=ANYTHING)
def test_a_message_is_usable_or_unreadable(id_: object, kind: object, records: object) -> None:
    try:
        said = notified(id_, kind, records)
    except UnreadableMessage:
        return
    assert notified(said.id, said.kind, said.records) == said
    for text in (said.id, said.kind, *said.records, *(key for keys in said.records.values() for key in keys)):
        assert text.strip() == text != ""
        assert "\x00" not in text.encode().decode()


def _basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def _hmac(body: bytes, secret: str = BASIC) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


CALLOUT = b'{"id": "n-1", "kind": "Invoice Posted", "object": "Invoice", "ids": "2c92a0, 2c92a1"}'
POSTED = Notified("n-1", "Invoice Posted", {"Invoice": ("2c92a0", "2c92a1")})


@pytest.mark.parametrize(
    "headers",
    [
        _basic(BASIC),
        {"tieout-token": BASIC},
        {"tieout-hmac": _hmac(CALLOUT).hex()},
        {"tieout-hmac": _hmac(CALLOUT).hex().upper()},
        {"tieout-hmac": base64.b64encode(_hmac(CALLOUT)).decode()},
        {**_basic(BASIC), "tieout-hmac": _hmac(CALLOUT).hex()},
    ],
)
def test_a_callout_is_known_by_any_of_three(headers: dict[str, str]) -> None:
    assert callout.read(headers, CALLOUT, BASIC, NOON) == POSTED


@pytest.mark.parametrize(
    "headers",
    [
        {},
        _basic("tieout:wrong"),
        _basic("correct horse battery"),
        {"authorization": "Basic not base64"},
        {"authorization": "Basic /w=="},
        {"authorization": "Basic"},
        {"authorization": f"Bearer {BASIC}"},
        {"tieout-token": ""},
        {"tieout-token": "pässwörd"},
        {"tieout-hmac": _hmac(CALLOUT + b" ").hex()},
        {"tieout-hmac": ""},
        {**_basic(BASIC), "tieout-hmac": _hmac(b"{}").hex()},
        {**_basic("tieout:wrong"), "tieout-token": BASIC},
    ],
)
def test_what_a_callout_offers_has_to_be_right(headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused) as caught:
        callout.read(headers, CALLOUT, BASIC, NOON)
    assert not isinstance(caught.value, UnreadableMessage)
    assert "correct" not in str(caught.value)


def test_the_header_names_the_message_before_the_body_does() -> None:
    headers = {**_basic(BASIC), "zuora-notification-id": "session-7"}
    assert callout.read(headers, CALLOUT, BASIC, NOON).id == "session-7"


def test_a_callout_may_be_a_form_or_name_several_objects() -> None:
    fields = {"id": "n-1", "kind": "Invoice Posted", "object": "Invoice", "ids": "2c92a0,2c92a1"}
    form = {**_basic(BASIC), "content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    assert callout.read(form, urlencode(fields).encode(), BASIC, NOON) == POSTED
    several = {
        "id": "n-2",
        "kind": "Amended",
        "records": {"Account": "a1", "RatePlanCharge": ["c1", "c2"], "Empty": ""},
    }
    said = callout.read(_basic(BASIC), json.dumps(several).encode(), BASIC, NOON)
    assert said.records == {"Account": ("a1",), "RatePlanCharge": ("c1", "c2")}


@pytest.mark.parametrize("body", [b"", b'{"kind": "k"}', b'{"id": "1", "kind": "k", "ids": ["x"]}', b"\xff"])
@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_callout_without_what_it_must_name(body: bytes, media_type: str) -> None:
    with pytest.raises(UnreadableMessage):
        callout.read({**_basic(BASIC), "content-type": media_type}, body, BASIC, NOON)


def test_zuora_reads_callouts() -> None:
    assert KINDS["zuora"].webhook is callout.read
