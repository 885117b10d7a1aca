"""What the sync remembers in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Identity, Index, PrimaryKeyConstraint, Text, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db.base import Base


class SyncObject(Base):
    """How far one object of one system is known, under the mapping that it was read with."""

    __tablename__ = "sync_objects"
    __table_args__ = (PrimaryKeyConstraint("system", "object"),)

    system: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    mapping_hash: Mapped[str] = mapped_column(Text)
    # Where the walk goes on: everything before it is in the books. `record_id` is null before the first page.
    stamp: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    record_id: Mapped[str | None] = mapped_column(Text)
    token: Mapped[str | None] = mapped_column(Text)
    # All that the source had stamped up to here is in the books; null until a walk has come to its end.
    watermark: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Deletions that the source listed before this are in the books; null until the first walk has begun.
    deletions_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # When all keys were last compared with the source's; null when they never were.
    census_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Why the last poll did not end well, in a sentence; null when it did.
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


class SourceSchema(Base):
    """What a source last said of the fields of one object: name, type, nullability and values of each."""

    __tablename__ = "source_schemas"
    __table_args__ = (PrimaryKeyConstraint("system", "object"),)

    system: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    hash: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SchemaChange(Base):
    """One difference between two descriptions of an object. Kept for good; `published` once the books hold it."""

    __tablename__ = "schema_changes"
    __table_args__ = (Index("ix_schema_changes_system_object", "system", "object"),)

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    system: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    change: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    published: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class FieldProfile(Base):
    """How the values of a mapped field look when all is well: what later values are compared with.

    Only records that were changed after `until` are compared with it.
    """

    __tablename__ = "field_profiles"
    __table_args__ = (PrimaryKeyConstraint("system", "entity", "field"),)

    system: Mapped[str] = mapped_column(Text)
    entity: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    profile: Mapped[dict[str, Any]] = mapped_column(JSONB)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    stored_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SnapshotRow(Base):
    """A published snapshot: the version of every table and the reading of every (system, entity)."""

    __tablename__ = "snapshots"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    versions: Mapped[dict[str, int]] = mapped_column(JSONB)
    readings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    mappings: Mapped[dict[str, str]] = mapped_column(JSONB)
    # Hash of the roles and matchings by which owners of rows were found.
    ownership: Mapped[str] = mapped_column(Text, default="", server_default="")
