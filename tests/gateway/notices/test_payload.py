"""What waits in the outbox is what is sent."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from alerts.message import CaseCard, EvidenceRow, Notice
from gateway.notices.payload import from_document, to_document

instants = st.datetimes(timezones=st.just(UTC))
texts = st.text(max_size=20)
rows = st.builds(EvidenceRow, texts, texts, st.lists(st.tuples(texts, texts), max_size=3).map(tuple))
cards = st.builds(
    CaseCard,
    *[texts] * 5,
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    due_at=st.none() | instants,
    rows=st.lists(rows, max_size=2).map(tuple),
)
notices = st.builds(
    Notice,
    kind=st.sampled_from(["opened", "digest"]),
    severity=st.sampled_from(["S1", "S4"]),
    cases=st.lists(cards, max_size=2).map(tuple),
    now=instants,
)


@given(notices)
def test_a_notice_survives_json(notice: Notice) -> None:
    assert from_document(json.loads(json.dumps(to_document(notice)))) == notice


def test_amounts_keep_their_digits() -> None:
    card = CaseCard("EXC-1", "", "", "", "", Decimal("9350.10"), "USD", "leak", "", "", "", None, "", (), "")
    notice = Notice("k", "opened", "h", "S1", "o", (card,), 0, "u", datetime(2026, 12, 1, tzinfo=UTC))
    assert str(from_document(to_document(notice)).cases[0].amount) == "9350.10"
