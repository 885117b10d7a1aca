"""Decisions as they are kept: found again by the key that the caller gave, one per key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.prebill.answer import Answer, document
from gateway.prebill.drafts import Drafts
from gateway.prebill.request import Question, fingerprint
from gateway.prebill.tables import Validation


@dataclass(frozen=True)
class Put:
    """A question as it was put: by whom, under which key. Keys are each caller's own."""

    question: Question
    body: bytes
    asked_by: str
    key: str

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.question)


def find(session: Session, put: Put, now: datetime) -> dict[str, Any] | None:
    """The answer that the key already has.

    Raises Refused: `idempotency-key-reused` for another question, `validation-expired` for one that is too old.
    """
    wanted = select(Validation.id, Validation.body_hash, Validation.expires_at, Validation.answer)
    row = session.execute(
        wanted.where(Validation.asked_by == put.asked_by, Validation.idempotency_key == put.key)
    ).first()
    if row is None:
        return None
    if row.body_hash != put.fingerprint:
        raise Refused(
            f"This Idempotency-Key was used for another request, answered as {row.id}. Use a new key.",
            "idempotency-key-reused",
        )
    if now >= row.expires_at:
        raise Refused(
            f"The verdict {row.id} expired at {row.expires_at:%Y-%m-%d %H:%M:%S} UTC. Ask again with a new key.",
            "validation-expired",
        )
    return restored(row.answer)


def reserve(session: Session, put: Put) -> None:
    """Wait until nobody else decides under the same key; holds until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{put.asked_by}/{put.key}", 0))))


def keep(session: Session, put: Put, answer: Answer, drafts: Drafts) -> dict[str, Any]:
    """Store an answer; returns it as it is sent, now and whenever it is asked for again."""
    said = document(answer)
    session.add(
        Validation(
            id=answer.validation_id,
            asked_by=put.asked_by,
            idempotency_key=put.key,
            body_hash=put.fingerprint,
            run_system=answer.run.system,
            run_id=answer.run.id,
            mode=answer.mode,
            whole=put.question.complete or drafts.whole,
            verdict=answer.verdict.value,
            content_hash=answer.content_hash,
            snapshot_id=answer.snapshot,
            evaluated_at=answer.evaluated_at,
            expires_at=answer.expires_at,
            request=put.body if put.question.invoices is not None else _with_drafts(put.question, drafts),
            answer=said,
        )
    )
    return said


def restored(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored answer as it was sent: PostgreSQL forgets the order of fields."""
    answer = msgspec.convert(stored, Answer)
    return document(msgspec.structs.replace(answer, as_of=dict(sorted(answer.as_of.items()))))


def _with_drafts(question: Question, drafts: Drafts) -> bytes:
    pulled = {"invoices": drafts.invoices.to_pylist(), "invoice_lines": drafts.lines.to_pylist()}
    return msgspec.json.encode({"question": question, "pulled": pulled})
