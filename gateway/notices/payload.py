"""A notice as JSON and back, to the letter: what waits in the outbox is what is sent."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from alerts.message import CaseCard, EvidenceRow, Notice


def to_document(notice: Notice) -> dict[str, Any]:
    """Amounts and instants as text."""
    return {
        "dedupe_key": notice.dedupe_key,
        "kind": notice.kind,
        "headline": notice.headline,
        "severity": notice.severity,
        "owner_name": notice.owner_name,
        "cases": [_card_document(card) for card in notice.cases],
        "more": notice.more,
        "queue_url": notice.queue_url,
        "now": notice.now.isoformat(),
    }


def from_document(document: Mapping[str, Any]) -> Notice:
    """The notice that `to_document` was given."""
    cases = tuple(_card(card) for card in document["cases"])
    return Notice(**{**document, "cases": cases, "now": datetime.fromisoformat(document["now"])})


def _card_document(card: CaseCard) -> dict[str, Any]:
    return {
        **{name: value for name, value in vars(card).items() if name not in ("amount", "due_at", "rows")},
        "amount": str(card.amount),
        "due_at": card.due_at.isoformat() if card.due_at else None,
        "rows": [{"system": row.system, "record": row.record, "fields": [*row.fields]} for row in card.rows],
    }


def _card(document: Mapping[str, Any]) -> CaseCard:
    due_at = document["due_at"]
    return CaseCard(
        **{
            **document,
            "amount": Decimal(document["amount"]),
            "due_at": datetime.fromisoformat(due_at) if due_at else None,
            "rows": tuple(_row(row) for row in document["rows"]),
        }
    )


def _row(document: Mapping[str, Any]) -> EvidenceRow:
    fields = tuple((name, value) for name, value in document["fields"])
    return EvidenceRow(document["system"], document["record"], fields)
