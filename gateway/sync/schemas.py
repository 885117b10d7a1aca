"""What every source said of its objects, in PostgreSQL: compared at every run, and each difference kept."""

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from books.store import Store, table_from
from connectors.contract import SourceField
from connectors.errors import ConnectorError, LoginRefused, SchemaChanged, TransientError
from connectors.mapping import ObjectMapping
from gateway.db.session import Database
from gateway.sync.described import columns_of, missing
from gateway.sync.readings import METADATA
from gateway.sync.schema_diff import Change, Difference, compare
from gateway.sync.source import OpenSource
from gateway.sync.tables import SchemaChange, SourceSchema

log = logging.getLogger(__name__)

ENTITY = METADATA


@dataclass(frozen=True)
class Seen:
    """A difference with the object it was seen in and when."""

    system: str
    object: str
    difference: Difference
    at: datetime


class Schemas:
    """The memory of descriptions. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, system: str, name: str, fields: Sequence[SourceField], now: datetime) -> list[Difference]:
        """Keep a description, and what is different from the one before; the first one differs from nothing."""
        said = [_said(field) for field in sorted(fields, key=lambda field: field.name)]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        with self._database.session() as session:
            before = session.get(SourceSchema, (system, name))
            found = [] if before is None or before.hash == digest else list(compare(_fields(before), fields))
            session.add_all(_row(Seen(system, name, difference, now)) for difference in found)
            values = {"fields": said, "hash": digest, "seen_at": now}
            statement = insert(SourceSchema).values(system=system, object=name, **values)
            session.execute(statement.on_conflict_do_update(index_elements=["system", "object"], set_=values))
        return found

    def fields(self, system: str, name: str) -> Sequence[SourceField]:
        """The description that was kept last; empty where there is none."""
        with self._database.session() as session:
            row = session.get(SourceSchema, (system, name))
            return _fields(row) if row else ()

    def history(self, system: str, name: str) -> list[Seen]:
        """Every difference that was ever seen in an object, oldest first."""
        with self._database.session() as session:
            return [_seen(row) for row in _changes(session, system, name)]

    def require(self, system: str, mapped: ObjectMapping, fields: Sequence[SourceField]) -> None:
        """Raises SchemaChanged where a mapped field was once described and is not any more.

        A field that never was described is left to the query, which knows better than a catalogue of the vendor's.
        """
        absent = missing(mapped, fields)
        if not absent:
            return
        kept = (Difference(field.name, Change.VANISHED, field.type, None) for field in self.fields(system, mapped.name))
        history = (seen.difference for seen in self.history(system, mapped.name))
        last = {difference.field.lower(): difference for difference in (*kept, *history)}
        lost = [_sentence(system, mapped, path, last[path.lower()]) for path in absent if path.lower() in last]
        if lost:
            raise SchemaChanged(" ".join(lost))

    def publish(self, store: Store) -> None:
        """Write the differences that the books do not hold yet; after a kill in between once more, to no effect."""
        with self._database.session() as session:
            rows = session.scalars(select(SchemaChange).where(~SchemaChange.published)).all()
        for system in sorted({row.system for row in rows}):
            store.merge(ENTITY, system, _table(row for row in rows if row.system == system))
        with self._database.session() as session:
            numbers = [row.number for row in rows]
            session.execute(update(SchemaChange).where(SchemaChange.number.in_(numbers)).values(published=True))


def described(source: OpenSource, name: str) -> Sequence[SourceField]:
    """What a source says of an object now; nothing where it says nothing.

    A source that does not describe an object may still hand it over, so that any refusal is only logged but those that
    concern the object itself, which are raised: SchemaChanged, LoginRefused, TransientError.
    """
    try:
        return source.connector.fields(name)
    except (SchemaChanged, LoginRefused, TransientError):
        raise
    except ConnectorError as error:
        log.warning("%s does not describe %s: %s", source.name, name, error)
        return ()


def _said(field: SourceField) -> dict[str, object]:
    return {**asdict(field), "values": list(field.values)}


def _fields(row: SourceSchema) -> list[SourceField]:
    return [SourceField(said["name"], said["type"], said["nullable"], tuple(said["values"])) for said in row.fields]


def _row(seen: Seen) -> SchemaChange:
    said = asdict(seen.difference)
    return SchemaChange(system=seen.system, object=seen.object, seen_at=seen.at, **said)


def _seen(row: SchemaChange) -> Seen:
    return Seen(row.system, row.object, Difference(row.field, Change(row.change), row.before, row.after), row.seen_at)


def _changes(session: Session, system: str, name: str) -> Iterable[SchemaChange]:
    of = (SchemaChange.system == system, SchemaChange.object == name)
    return session.scalars(select(SchemaChange).where(*of).order_by(SchemaChange.number)).all()


def _table(rows: Iterable[SchemaChange]) -> pa.Table:
    columns = ("system", "object", "field", "change", "before", "after", "seen_at")
    return table_from(
        ENTITY,
        (
            {column: getattr(row, column) for column in columns}
            | {"key": f"{row.object}/{row.number}", "modified_at": row.seen_at, "synced_at": row.seen_at}
            | {"deleted": False, "raw": "{}"}
            for row in rows
        ),
    )


def _sentence(system: str, mapped: ObjectMapping, path: str, how: Difference) -> str:
    fills = ", ".join(columns_of(mapped, path)) or "kept fields"
    perhaps = f"; it may be called {how.after} now" if how.change is Change.RENAMED else ""
    return (
        f"{system} does not show the field {path} of {mapped.name} any more{perhaps}. It fills {fills}. "
        "Give it back to the integration user, or change the mapping."
    )
