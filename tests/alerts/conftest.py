"""One notice as the gateway would make it, any notice at all, and the sinks that receive."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import strategies as st

from alerts.message import CaseCard, EvidenceRow, Notice
from sandbox.slack_sink import SlackSink
from sandbox.smtp_sink import SmtpSink
from sandbox.webhook_sink import WebhookSink

NOW = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def card() -> CaseCard:
    return CaseCard(
        reference="EXC-12",
        title="Seats in use exceed the seats billed",
        why="Every month without the amendment is revenue that is never billed.",
        message="Northwind & Söhne uses 530 seats, the subscription bills 500.",
        account="Northwind & Söhne <EMEA>",
        amount=Decimal("1200.0000"),
        currency="USD",
        money_kind="leak",
        expected="530 seats",
        actual="500 seats",
        arithmetic="(530 - 500) seats × 40.00 USD = 1,200.00 USD",
        due_at=NOW + timedelta(hours=26, minutes=5),
        due_text="",
        rows=(
            EvidenceRow("salesforce", "02i5g00000A1bCdEFG", (("quantity", "530"), ("unit price", "40.00"))),
            EvidenceRow("zuora", "A-S00012", (("quantity", "500"), ("unit price", "40.00"))),
            EvidenceRow("netsuite", "SO-4711", (("quantity", "500"), ("amount", "20,000.00"))),
        ),
        link="https://tieout.example.com/exceptions/EXC-12",
    )


@pytest.fixture(scope="session")
def notice(card: CaseCard) -> Notice:
    return Notice(
        dedupe_key="opened:group-7:1",
        kind="opened",
        headline="Northwind & Söhne: 1,200.00 USD of seats not billed",
        severity="S2",
        owner_name="Ada Osei (Billing Ops)",
        cases=(card,),
        more=3,
        queue_url="https://tieout.example.com/exceptions?owner=ada",
        now=NOW,
    )


@pytest.fixture(scope="session")
def notices() -> st.SearchStrategy[Notice]:
    """Notices of any shape: texts of any length with any character, lone surrogates and markup among them."""
    awkward = st.sampled_from(["&", "<", ">", '"', "`", "*", "\n", "\r\n", "\x00", "\u202e", "日本語", "😀", "\ud800"])
    piece = st.one_of(awkward, st.text(st.characters(), max_size=30))
    repeated = st.builds(lambda text, times: text * times, piece, st.integers(0, 400))
    text = st.one_of(piece, repeated, st.lists(piece, max_size=20).map("".join))
    instants = st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
    row = st.builds(EvidenceRow, text, text, st.lists(st.tuples(text, text), max_size=12).map(tuple))
    cards = st.builds(
        CaseCard,
        **dict.fromkeys(["reference", "title", "why", "message", "account", "money_kind", "expected", "actual"], text),
        arithmetic=text,
        due_text=text,
        link=st.one_of(st.just("https://tieout.example.com/exceptions/EXC-1"), text),
        amount=st.decimals(min_value=-(10**13), max_value=10**13, places=4),
        currency=st.sampled_from(["USD", "JPY", "KWD", "CLF"]),
        due_at=st.none() | instants,
        rows=st.lists(row, max_size=8).map(tuple),
    )
    return st.builds(
        Notice,
        dedupe_key=text,
        headline=text,
        owner_name=text,
        queue_url=st.one_of(st.just("https://tieout.example.com/exceptions"), text),
        cases=st.builds(lambda few, times: tuple(few) * times, st.lists(cards, max_size=3), st.integers(1, 5)),
        more=st.integers(0, 10**6),
        now=instants,
    )


@pytest.fixture(scope="module")
def slack_server() -> Iterator[SlackSink]:
    with SlackSink() as sink:
        yield sink


@pytest.fixture
def slack(slack_server: SlackSink) -> SlackSink:
    slack_server.clear()
    return slack_server


@pytest.fixture(scope="module")
def webhook_server() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def webhook(webhook_server: WebhookSink) -> WebhookSink:
    webhook_server.clear()
    return webhook_server


@pytest.fixture(scope="module")
def smtp_server() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def smtp(smtp_server: SmtpSink) -> SmtpSink:
    smtp_server.clear()
    return smtp_server


@pytest.fixture
def now() -> datetime:
    return NOW
