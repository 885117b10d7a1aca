"""The rows of the outbox. A notification is a row before it is a message.

`notice_items` are single things to tell somebody; grouping gathers them into `notices`, which dispatch sends.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Identity, Index, SmallInteger, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from gateway.db.base import Base, Document


class NoticeState(StrEnum):
    """`failed` will be tried again; `dead` will not."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"


class NoticeItem(Base):
    """One thing about one case for one recipient (`team:<id>` or `person:<id>`), to be told from `ready_at` on.

    `digest` is "daily", "weekly" or empty; `notice_id` is set once it is part of a notice, `dropped` says why it
    never will be.
    """

    __tablename__ = "notice_items"
    __table_args__ = (
        Index("ix_notice_items_ready_at", "ready_at", postgresql_where=text("notice_id IS NULL AND dropped IS NULL")),
        Index("ix_notice_items_case_number", "case_number"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    case_number: Mapped[int]  # of `cases`, which loses no rows
    recipient: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    digest: Mapped[str] = mapped_column(server_default=text("''"))
    queued_at: Mapped[datetime]
    ready_at: Mapped[datetime]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"))
    dropped: Mapped[str | None]


class NoticeRow(Base):
    """One message to one channel. `reason` says why it was decided; `payload` is the notice to the letter."""

    __tablename__ = "notices"
    __table_args__ = (
        Index(
            "ix_notices_next_attempt_at",
            "next_attempt_at",
            postgresql_where=text("state IN ('queued','sending','failed')"),
        ),
        Index("ix_notices_group_key_created_at", "group_key", "created_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    group_key: Mapped[str]
    channel: Mapped[str]
    recipient: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    reason: Mapped[str]
    payload: Mapped[Document]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    receipt: Mapped[str | None]
    last_error: Mapped[str | None]


def item(
    case_number: int, recipient: str, kind: str, severity: str, now: datetime, ready: tuple[datetime, str]
) -> NoticeItem:
    """An item as `session.add` takes it; `ready` comes from `timing.ready`."""
    ready_at, digest = ready
    return NoticeItem(
        case_number=case_number,
        recipient=recipient,
        kind=kind,
        severity=severity,
        digest=digest,
        queued_at=now,
        ready_at=ready_at,
    )


def hand_over(session: Session, case_number: int, before: str, to: str) -> None:
    """What waits to be told in a digest is read by the person who has the case by then."""
    waiting = NoticeItem.case_number == case_number, NoticeItem.recipient == f"person:{before}", NoticeItem.digest != ""
    untold = NoticeItem.notice_id.is_(None), NoticeItem.dropped.is_(None)
    session.execute(update(NoticeItem).where(*waiting, *untold).values(recipient=f"person:{to}"))


ITEM_COLUMNS: Sequence[str] = (
    "case_number",
    "recipient",
    "kind",
    "severity",
    "digest",
    "queued_at",
    "ready_at",
)
