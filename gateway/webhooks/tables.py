"""The messages that systems posted to us."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.base import Base, Document


class State(StrEnum):
    """`pending` until the records were read and the checks concerned were asked; `failed` when that was given up."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class WebhookDelivery(Base):
    """One message of one source, kept once however often it came. `records` are keys by object name."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        PrimaryKeyConstraint("source", "message_id"),
        Index("ix_webhook_deliveries_due", "next_at", postgresql_where=text("state = 'pending'")),
    )

    source: Mapped[str]
    message_id: Mapped[str]
    kind: Mapped[str]
    records: Mapped[Document]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default=State.PENDING.value)
    attempts: Mapped[int] = mapped_column(default=0)
    # When it is tried next; while an attempt runs, when another may begin if this one never ends.
    next_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # Why the last attempt did not end well, in a sentence.
    failure: Mapped[str | None]
