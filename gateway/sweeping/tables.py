"""What a sweep leaves for the next one."""

from datetime import datetime

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.base import Base


class SweepMark(Base):
    """Up to where a check has been evaluated. It stays where it is while the check cannot be evaluated."""

    __tablename__ = "sweep_marks"

    check_id: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str]  # the digest of the check as it was in force
    snapshot: Mapped[str]
    swept_at: Mapped[datetime]
    whole_at: Mapped[datetime]  # when it was last put to all of the books
    # Up to which stamp absence was claimed; null where the check claims none.
    known_until: Mapped[datetime | None]
    # Some of its rows belong to no account, so that no share of the books can tell what has become of them.
    unowned: Mapped[bool] = mapped_column(server_default=text("false"))


class SweepLater(Base):
    """An account that a check is to be asked about again: at an instant, or once a watermark is past it.

    `account_key` is empty for rows of nobody. Only the first instant of each account is kept: when it has come, the
    account is evaluated and says the next.
    """

    __tablename__ = "sweep_later"
    __table_args__ = (
        PrimaryKeyConstraint("check_id", "account_key", "waits_for"),
        Index("ix_sweep_later_waits_for_at", "waits_for", "at"),
    )

    check_id: Mapped[str]
    account_key: Mapped[str]
    waits_for: Mapped[str]  # clock, watermark
    at: Mapped[datetime]
