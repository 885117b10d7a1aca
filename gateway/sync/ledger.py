"""Positions, readings, rejects and snapshots, in PostgreSQL. Every method is one transaction."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from books.snapshots import Reading, Snapshot
from connectors.contract import Position
from connectors.mapping import Reject
from gateway.db.session import Database
from gateway.sync.tables import SnapshotRow, SourceReading, SyncPosition, SyncReject

DELETE_CHUNK = 5_000


@dataclass(frozen=True)
class Stored:
    """What one stored page brought: rejects, and the keys that landed, which clear older rejects."""

    rejects: tuple[Reject, ...]
    landed: tuple[str, ...]


class Ledger:
    """The sync's memory. `targets` says per system how old its readings may be."""

    def __init__(self, database: Database, targets: Mapping[str, timedelta]) -> None:
        self._database = database
        self._targets = targets

    def position(self, system: str, name: str, mapping_hash: str) -> Position | None:
        """Where to go on; None for a first walk, or when the mapping has changed since."""
        with self._database.session() as session:
            row = session.get(SyncPosition, (system, name))
            if row is None or row.mapping_hash != mapping_hash:
                return None
            return Position(row.stamp, row.record_id, row.token)

    def store_page(
        self, system: str, name: str, position: Position | None, mapping_hash: str, stored: Stored, now: datetime
    ) -> None:
        """After the rows: the position and the rejects of a page, together."""
        with self._database.session() as session:
            _clear_rejects(session, system, name, stored.landed)
            _add_rejects(session, system, stored.rejects, now)
            if position is not None:
                _save_position(session, system, name, position, mapping_hash, now)

    def read_through(self, system: str, entities: Iterable[str], watermark: datetime, now: datetime) -> None:
        """Everything that the source had stamped up to `watermark` is in the books."""
        with self._database.session() as session:
            for entity in entities:
                _save_reading(session, system, entity, now, {"watermark": watermark, "failure": None})

    def failed(self, system: str, entities: Iterable[str], failure: str, now: datetime) -> None:
        """The last poll did not end well; the watermark stays where it was."""
        with self._database.session() as session:
            for entity in entities:
                _save_reading(session, system, entity, now, {"failure": failure})

    def watermark(self, system: str, entity: str) -> datetime | None:
        with self._database.session() as session:
            row = session.get(SourceReading, (system, entity))
            return row.watermark if row else None

    def rejects(self) -> list[SyncReject]:
        """Every record that did not land, by system, object and key."""
        order = (SyncReject.system, SyncReject.object, SyncReject.key)
        with self._database.session() as session:
            return list(session.scalars(select(SyncReject).order_by(*order)))

    def publish(
        self, versions: Mapping[str, int], systems: Iterable[str], mappings: Mapping[str, str], now: datetime
    ) -> Snapshot:
        """Make the present tables and readings what readers use, in one transaction."""
        chosen = tuple(systems)
        with self._database.session() as session:
            rows = session.scalars(select(SourceReading).where(SourceReading.system.in_(chosen))).all()
            readings = [
                {
                    "system": row.system,
                    "entity": row.entity,
                    "watermark": row.watermark.isoformat() if row.watermark else None,
                    "failure": row.failure,
                }
                for row in rows
            ]
            row = SnapshotRow(
                id=f"snap_{secrets.token_hex(8)}",
                published_at=now,
                versions=dict(versions),
                readings=readings,
                mappings=dict(mappings),
            )
            session.add(row)
            session.flush()
            return self._snapshot(row)

    def latest(self) -> Snapshot | None:
        """The newest published snapshot; None before the first sync has ended."""
        newest = select(SnapshotRow).order_by(SnapshotRow.number.desc()).limit(1)
        with self._database.session() as session:
            row = session.scalars(newest).first()
            return self._snapshot(row) if row else None

    def latest_id(self) -> str | None:
        """Its id alone: a cheap question, asked at every request."""
        newest = select(SnapshotRow.id).order_by(SnapshotRow.number.desc()).limit(1)
        with self._database.session() as session:
            return session.scalars(newest).first()

    def _snapshot(self, row: SnapshotRow) -> Snapshot:
        readings = {
            (said["system"], said["entity"]): Reading(
                datetime.fromisoformat(said["watermark"]) if said["watermark"] else None,
                self._targets.get(said["system"], timedelta(0)),
                said["failure"],
            )
            for said in row.readings
        }
        return Snapshot(row.id, row.published_at, row.versions, readings)


def _save_position(
    session: Session, system: str, name: str, position: Position, mapping_hash: str, now: datetime
) -> None:
    values = {
        "stamp": position.stamp,
        "record_id": position.id,
        "token": position.token,
        "mapping_hash": mapping_hash,
        "saved_at": now,
    }
    statement = insert(SyncPosition).values(system=system, object=name, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["system", "object"], set_=values))


def _save_reading(
    session: Session, system: str, entity: str, now: datetime, values: Mapping[str, datetime | str | None]
) -> None:
    said = {**values, "polled_at": now}
    statement = insert(SourceReading).values(system=system, entity=entity, **said)
    session.execute(statement.on_conflict_do_update(index_elements=["system", "entity"], set_=said))


def _add_rejects(session: Session, system: str, rejects: Iterable[Reject], now: datetime) -> None:
    for reject in rejects:
        same = {"system": system, "object": reject.object, "key": reject.key, "reason": reject.reason}
        statement = insert(SyncReject).values(**same, seen_at=now)
        session.execute(statement.on_conflict_do_update(index_elements=list(same), set_={"seen_at": now}))


def _clear_rejects(session: Session, system: str, name: str, landed: Sequence[str]) -> None:
    of_object = (SyncReject.system == system, SyncReject.object == name)
    if session.scalars(select(SyncReject.key).where(*of_object).limit(1)).first() is None:
        return
    for start in range(0, len(landed), DELETE_CHUNK):
        keys = landed[start : start + DELETE_CHUNK]
        session.execute(delete(SyncReject).where(*of_object, SyncReject.key.in_(keys)))
