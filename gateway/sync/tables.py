"""What the sync remembers in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.base import Base


class SyncPosition(Base):
    """Where the walk through one object of one system stands: everything before it is in the books."""

    __tablename__ = "sync_positions"
    __table_args__ = (PrimaryKeyConstraint("system", "object"),)

    system: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    stamp: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    record_id: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text)
    mapping_hash: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SourceReading(Base):
    """How far one entity of one system is known, and why the last poll failed if it did."""

    __tablename__ = "source_readings"
    __table_args__ = (PrimaryKeyConstraint("system", "entity"),)

    system: Mapped[str] = mapped_column(Text)
    entity: Mapped[str] = mapped_column(Text)
    watermark: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failure: Mapped[str | None] = mapped_column(Text)
    polled_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SyncReject(Base):
    """A source record that did not become a row, with the reason. It goes when the record maps."""

    __tablename__ = "sync_rejects"
    __table_args__ = (PrimaryKeyConstraint("system", "object", "key", "reason"),)

    system: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SnapshotRow(Base):
    """A published snapshot: the version of every table and the reading of every (system, entity)."""

    __tablename__ = "snapshots"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    versions: Mapped[dict[str, int]] = mapped_column(JSONB)
    readings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    mappings: Mapped[dict[str, str]] = mapped_column(JSONB)
