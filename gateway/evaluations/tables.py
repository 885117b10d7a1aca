"""The last evaluation of each check, and the findings on which nobody acts yet."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.base import Base

NOBODY = ""  # the account of rows that belong to none


class CheckState(Base):
    """What came of a check when a sweep last asked it. `waiting` counts rows that nobody could judge, by account."""

    __tablename__ = "check_states"

    check_id: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    reason: Mapped[str | None]
    waiting: Mapped[dict[str, int]] = mapped_column(JSONB)
    evaluated_at: Mapped[datetime]
    snapshot: Mapped[str]


class ShadowFinding(Base):
    """A finding of a check in shadow, as long as it is there."""

    __tablename__ = "shadow_findings"
    __table_args__ = (Index("ix_shadow_findings_check_id", "check_id"),)

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    check_id: Mapped[str]
    record: Mapped[str]
    account_key: Mapped[str | None]
    severity: Mapped[str]
    money_kind: Mapped[str]
    amount: Mapped[Decimal]
    currency: Mapped[str | None]
    message: Mapped[str]
    arithmetic: Mapped[str]
    evidence: Mapped[list[Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
