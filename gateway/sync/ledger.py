"""How far every object is known, rejects and snapshots, in PostgreSQL. Every method is one transaction."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from books.snapshots import Reading, Snapshot
from connectors.contract import Position
from connectors.mapping import Mapping as SourceMapping
from connectors.mapping import Reject
from gateway.db.session import Database
from gateway.sync.freshness import Freshness
from gateway.sync.readings import entity_readings
from gateway.sync.tables import SnapshotRow, SyncObject, SyncReject

# PostgreSQL takes at most 65,535 parameters in one statement, and an index entry of 2,704 bytes.
CHUNK = 5_000
LONGEST_KEY, LONGEST_REASON = 200, 400

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """How far an object is known. `position` None: its next walk begins with the first record.

    `deletions_from`: what the source deleted before then is in the books. `census_at`: when all keys were compared.
    """

    position: Position | None
    deletions_from: datetime
    census_at: datetime | None


class Ledger:
    """The sync's memory.

    `freshness` says per system how old its readings may be, and `mappings` which mapping is in force: rows that were
    read under another one are not what it promises. Both are asked when a snapshot is, not before.
    """

    def __init__(
        self,
        database: Database,
        freshness: Callable[[], Mapping[str, Freshness]],
        mappings: Callable[[], Mapping[str, SourceMapping]],
    ) -> None:
        self._database = database
        self._freshness = freshness
        self._mappings = mappings

    def begin(self, system: str, name: str, mapping_hash: str, source_time: datetime, now: datetime) -> Standing:
        """How far the object is known; nothing is, when this is its first walk or the mapping has changed since."""
        with self._database.session() as session:
            row = session.get(SyncObject, (system, name))
            if row is None:
                row = SyncObject(system=system, object=name, mapping_hash=mapping_hash, polled_at=now)
                session.add(row)
            elif row.mapping_hash != mapping_hash:
                row.mapping_hash = mapping_hash
                row.stamp = row.record_id = row.token = row.watermark = row.census_at = None
            row.deletions_from = row.deletions_from or source_time
            at = None if row.record_id is None else Position(row.stamp, row.record_id, row.token or "")
            return Standing(at, row.deletions_from, row.census_at)

    def store_page(
        self,
        system: str,
        name: str,
        position: Position | None,
        rejects: Sequence[Reject],
        read: Iterable[str],
        now: datetime,
    ) -> None:
        """After the rows: the position and the rejects of a page, together.

        `read` are the keys and places of all its records: what was wrong with them before is forgotten. It is
        looked at only where something was wrong.
        """
        with self._database.session() as session:
            if _has_rejects(session, system, name):
                _clear_rejects(session, system, name, read)
            _add_rejects(session, system, rejects, now)
            if position is not None:
                at = {"stamp": position.stamp, "record_id": position.id, "token": position.token}
                session.execute(update(SyncObject).where(*_of(system, name)).values(**at))

    def finish(
        self,
        system: str,
        name: str,
        *,
        watermark: datetime,
        deletions_from: datetime,
        census_at: datetime | None,
        now: datetime,
    ) -> None:
        """A poll ended well: everything that the source had stamped up to `watermark` is in the books."""
        values = {"watermark": watermark, "deletions_from": deletions_from, "failure": None, "polled_at": now}
        if census_at is not None:
            values["census_at"] = census_at
        with self._database.session() as session:
            session.execute(update(SyncObject).where(*_of(system, name)).values(**values))

    def fail(self, system: str, names: Iterable[str], mapping_hash: str, failure: str, now: datetime) -> None:
        """The last poll of these objects did not end well; their watermarks stay where they were."""
        said = {"failure": failure, "polled_at": now}
        with self._database.session() as session:
            for name in names:
                statement = insert(SyncObject).values(system=system, object=name, mapping_hash=mapping_hash, **said)
                session.execute(statement.on_conflict_do_update(index_elements=["system", "object"], set_=said))

    def failures(self, system: str) -> dict[str, str]:
        """Why the last poll of an object did not end well, by object."""
        found = select(SyncObject.object, SyncObject.failure).where(SyncObject.system == system).order_by("object")
        with self._database.session() as session:
            return {name: failure for name, failure in session.execute(found) if failure is not None}

    def forget_unread(self, system: str, name: str) -> bool:
        """Forget an object that was never read to its end; False, and nothing is forgotten, where it was."""
        unread = delete(SyncObject).where(*_of(system, name), SyncObject.watermark.is_(None))
        with self._database.session() as session:
            session.execute(unread)
            return session.get(SyncObject, (system, name)) is None

    def polled_at(self, system: str) -> datetime | None:
        """When the system was last asked, whatever came of it."""
        newest = select(SyncObject.polled_at).where(SyncObject.system == system).order_by(SyncObject.polled_at.desc())
        with self._database.session() as session:
            return session.scalars(newest.limit(1)).first()

    def rejects(self) -> list[SyncReject]:
        """Every record that did not land, by system, object and key."""
        order = (SyncReject.system, SyncReject.object, SyncReject.key)
        with self._database.session() as session:
            return list(session.scalars(select(SyncReject).order_by(*order)))

    def reject_keys(self, system: str, name: str) -> set[str]:
        """The keys of the records of one object that did not land."""
        with self._database.session() as session:
            return set(session.scalars(select(SyncReject.key).where(*_rejects_of(system, name))))

    def clear_rejects(self, system: str, name: str, keys: Iterable[str] | None = None) -> None:
        """Forget the rejects of an object: of records that are gone, or all before it is read afresh."""
        with self._database.session() as session:
            if keys is None:
                session.execute(delete(SyncReject).where(*_rejects_of(system, name)))
            elif _has_rejects(session, system, name):
                _clear_rejects(session, system, name, keys)

    def keep_rejects(self, system: str, name: str, held: Iterable[str]) -> None:
        """Forget the rejects of records that are not among these; those without a key cannot be told apart."""
        with self._database.session() as session:
            listed = set(session.scalars(select(SyncReject.key).where(*_rejects_of(system, name)))) - {""}
            if listed:
                gone = listed.difference(_fitting(key, LONGEST_KEY) for key in held)
                _clear_rejects(session, system, name, sorted(gone))

    def publish(
        self,
        versions: Mapping[str, int],
        mappings: Mapping[str, SourceMapping],
        ownership: str,
        now: datetime,
    ) -> Snapshot:
        """Make the present tables, and how far their sources are known, what readers use, in one transaction."""
        with self._database.session() as session:
            objects = session.scalars(select(SyncObject)).all()
            row = SnapshotRow(
                id=f"snap_{secrets.token_hex(8)}",
                published_at=now,
                versions=dict(versions),
                readings=[_shown(said) for said in entity_readings(objects, mappings)],
                mappings={name: mapping.hash for name, mapping in mappings.items()},
                ownership=ownership,
            )
            session.add(row)
            session.flush()
            return self._snapshot(row)

    def mapping_hashes(self) -> dict[str, str]:
        """By which mapping each source was read for the newest snapshot; nothing before the first."""
        newest = select(SnapshotRow.mappings).order_by(SnapshotRow.number.desc()).limit(1)
        with self._database.session() as session:
            return dict(session.scalars(newest).first() or {})

    def renew(self, own: Mapping[str, int], now: datetime) -> Snapshot:
        """Publish the newest snapshot again with our own records as they are now; nothing else of it is touched."""
        newest = select(SnapshotRow).order_by(SnapshotRow.number.desc()).limit(1)
        with self._database.session() as session:
            last = session.scalars(newest).one()
            row = SnapshotRow(
                id=f"snap_{secrets.token_hex(8)}",
                published_at=now,
                versions={**last.versions, **own},
                readings=last.readings,
                mappings=last.mappings,
                ownership=last.ownership,
            )
            session.add(row)
            session.flush()
            return self._snapshot(row)

    def latest(self, ownership: str | None = None) -> Snapshot | None:
        """The newest published snapshot; None before the first sync has ended.

        With `ownership`: None as well when the owners of its rows were found in another way.
        """
        newest = select(SnapshotRow).order_by(SnapshotRow.number.desc()).limit(1)
        with self._database.session() as session:
            row = session.scalars(newest).first()
            return self._snapshot(row) if row and ownership in (None, row.ownership) else None

    def latest_id(self) -> str | None:
        """Its id alone: a cheap question, asked at every request."""
        newest = select(SnapshotRow.id).order_by(SnapshotRow.number.desc()).limit(1)
        with self._database.session() as session:
            return session.scalars(newest).first()

    def versions_of(self, snapshots: Iterable[str]) -> dict[str, dict[str, int]]:
        """The versions of every table that these snapshots name, by snapshot."""
        found = select(SnapshotRow.id, SnapshotRow.versions).where(SnapshotRow.id.in_(list(snapshots)))
        with self._database.session() as session:
            return dict(session.execute(found).all())

    def versions_since(self, instant: datetime) -> dict[str, set[int]]:
        """Per entity the versions that snapshots published since then name, and the newest snapshot in any case."""
        newest = select(SnapshotRow.number).order_by(SnapshotRow.number.desc()).limit(1).scalar_subquery()
        young = (SnapshotRow.published_at >= instant) | (SnapshotRow.number == newest)
        kept: dict[str, set[int]] = {}
        with self._database.session() as session:
            for versions in session.scalars(select(SnapshotRow.versions).where(young)):
                for name, version in versions.items():
                    kept.setdefault(name, set()).add(version)
        return kept

    def _snapshot(self, row: SnapshotRow) -> Snapshot:
        readings = {(said["system"], said["entity"]): self._reading(row, said) for said in row.readings}
        return Snapshot(row.id, row.published_at, row.versions, readings)

    def _reading(self, row: SnapshotRow, said: Mapping[str, str | None]) -> Reading:
        system = said["system"] or ""
        rule = self._freshness().get(system, Freshness())
        if said["watermark"] is None or self._mapped_otherwise(system, row.mappings.get(system)):
            return Reading(None, rule.target, said["failure"])
        watermark = datetime.fromisoformat(said["watermark"])
        return Reading(watermark, rule.target, said["failure"], rule.stale_at(watermark), rule.skew)

    def _mapped_otherwise(self, system: str, then: str | None) -> bool:
        """Whether the rows of a snapshot were read with another mapping than the one in force."""
        if then is None:
            return False
        now = self._mappings().get(system)
        return now is None or now.hash != then


def _shown(said: Any) -> dict[str, str | None]:
    return {
        "system": said.system,
        "entity": said.entity,
        "watermark": said.watermark.isoformat() if said.watermark else None,
        "failure": said.failure,
    }


def _of(system: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return SyncObject.system == system, SyncObject.object == name


def _rejects_of(system: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return SyncReject.system == system, SyncReject.object == name


def _has_rejects(session: Session, system: str, name: str) -> bool:
    return session.scalars(select(SyncReject.key).where(*_rejects_of(system, name)).limit(1)).first() is not None


def _clear_rejects(session: Session, system: str, name: str, keys: Iterable[str]) -> None:
    for chunk in _chunks(_fitting(key, LONGEST_KEY) for key in keys):
        session.execute(delete(SyncReject).where(*_rejects_of(system, name), SyncReject.key.in_(chunk)))


def _add_rejects(session: Session, system: str, rejects: Iterable[Reject], now: datetime) -> None:
    same = ["system", "object", "key", "reason"]
    once = dict.fromkeys(
        (reject.object, _fitting(reject.key, LONGEST_KEY), _fitting(reject.reason, LONGEST_REASON))
        for reject in rejects
    )
    for chunk in _chunks(once):
        rows = [{**dict(zip(same, (system, *said), strict=True)), "seen_at": now} for said in chunk]
        added = insert(SyncReject).values(rows)
        session.execute(added.on_conflict_do_update(index_elements=same, set_={"seen_at": now}))


def _fitting(text: str, longest: int) -> str:
    """Text as PostgreSQL takes it into an index: no zero characters, and not too long."""
    return text.replace("\x00", "\ufffd")[:longest]


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
