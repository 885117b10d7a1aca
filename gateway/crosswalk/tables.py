"""The links that are no declared ones: proposals, and what a person made of them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, Identity, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.base import Base

REFERENCE = "LNK-"  # how the names begin by which people call links


class Basis(StrEnum):
    """`matched` is a proposal and joins nothing; `rejected` stays, so that the pair is not proposed again."""

    MATCHED = "matched"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Link(Base):
    """A record that no declared key joins, and the customer that it may be: an account of the CRM."""

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("left_system", "left_entity", "left_key", "right_system", "right_key", name="uq_links_pair"),
        Index("ix_links_basis", "basis"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score_is_a_share"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    left_system: Mapped[str]
    left_entity: Mapped[str]
    left_key: Mapped[str]
    left_name: Mapped[str]
    right_system: Mapped[str]
    right_key: Mapped[str]
    right_name: Mapped[str]
    basis: Mapped[str]
    score: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    reason: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    note: Mapped[str | None]

    @property
    def reference(self) -> str:
        """What people call it: LNK-12."""
        return f"{REFERENCE}{self.id}"
