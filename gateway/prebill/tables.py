"""Decisions of the gate, as they were answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.base import Base


class Validation(Base):
    """One answered question. `request` is the body as it came, with the invoices in it where they were pulled.

    `whole`: it was about all that its run bills, so that what is not in it is not on the run any more.
    `body_hash` tells whether another request with the same `idempotency_key` asks the same.
    """

    __tablename__ = "validations"
    __table_args__ = (
        UniqueConstraint("asked_by", "idempotency_key"),
        Index("ix_validations_run", "run_system", "run_id"),
        Index("ix_validations_evaluated_at", "evaluated_at"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    asked_by: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[str] = mapped_column(Text)
    body_hash: Mapped[str] = mapped_column(Text)
    run_system: Mapped[str] = mapped_column(Text)
    run_id: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    whole: Mapped[bool]
    verdict: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(Text)
    snapshot_id: Mapped[str | None] = mapped_column(Text)
    evaluated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    request: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
