"""The signature of what is posted to us: what we sign ourselves is taken, and nothing else."""

from datetime import timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.webhook import signature
from connectors.errors import WebhookRefused
from connectors.signed import verify
from tests.connectors.conftest import NOON

SECRET = "a-shared-secret"
STAMP = int(NOON.timestamp())
BODY = b'{"flow": "quotes"}'
GOOD = signature(SECRET.encode(), STAMP, BODY)
V1 = GOOD.partition(",")[2]


@given(st.binary(), st.text(min_size=1, max_size=40).filter(lambda s: s.isprintable()), st.integers(-300, 300))
def test_what_our_own_webhooks_sign_is_taken(body: bytes, secret: str, seconds: int) -> None:
    stamp = STAMP + seconds
    verify(signature(secret.encode(), stamp, body), body, [secret], NOON)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_too_old_and_too_new(seconds: int) -> None:
    with pytest.raises(WebhookRefused, match="more than 5 minutes from now"):
        verify(GOOD, BODY, [SECRET], NOON + timedelta(seconds=seconds))


def test_a_secret_is_changed_without_a_gap() -> None:
    other = signature(b"the-next-secret", STAMP, BODY).partition(",")[2]
    verify(f"t={STAMP}, {other}, {V1}", BODY, [SECRET], NOON)
    verify(GOOD, BODY, ["the-next-secret", SECRET], NOON)


def test_many_signatures_cost_little_more_than_one() -> None:
    """Who knows no secret must not make us hash a large body hundreds of times."""
    body = bytes(4_000_000)

    def cost(signatures: int) -> float:
        begun = process_time()
        with pytest.raises(WebhookRefused, match="does not fit"):
            verify(f"t={STAMP}" + ",v1=0" * signatures, body, [SECRET], NOON)
        return process_time() - begun

    assert cost(800) < 50 * cost(1)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"t={STAMP}",
        V1,
        f"t=,{V1}",
        f"t=+{STAMP},{V1}",
        f"t={STAMP},t={STAMP},{V1}",
        f"t={'9' * 13},{V1}",
    ],
)
def test_a_header_of_another_form(header: str) -> None:
    with pytest.raises(WebhookRefused, match="must say t="):
        verify(header, BODY, [SECRET], NOON)


@pytest.mark.parametrize(
    ("header", "body", "secrets"),
    [
        (GOOD, BODY + b" ", [SECRET]),
        (GOOD, BODY, ["another"]),
        (GOOD, BODY, []),
        (signature(b"", STAMP, BODY), BODY, [""]),
        (f"t={STAMP + 1},{V1}", BODY, [SECRET]),
        (f"t={STAMP},v1=é", BODY, [SECRET]),
        (f"t={STAMP},v0={V1[3:]},v1=0", BODY, [SECRET]),
    ],
)
def test_a_signature_that_does_not_fit(header: str, body: bytes, secrets: list[str]) -> None:
    with pytest.raises(WebhookRefused, match="does not fit the body") as refused:
        verify(header, body, secrets, NOON)
    assert SECRET not in str(refused.value)
