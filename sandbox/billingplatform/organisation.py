"""One organisation: its records, and what the role of the API's user may see of them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.billingplatform.database import Database, Row
from sandbox.billingplatform.refusals import UnknownEntity
from sandbox.billingplatform.schema import PLAIN_TYPES, STAMPS, STANDARD_ENTITIES
from sandbox.billingplatform.values import Kept, kept, shown

UTC = ZoneInfo("UTC")


class Organisation:
    """Thread-safe. Starts with STANDARD_ENTITIES, empty. `clock` (aware) stamps Created and Updated, written in `zone`.

    Entities and fields are found in any letter case.
    """

    def __init__(self, clock: Callable[[], datetime], zone: ZoneInfo = UTC) -> None:
        self.clock = clock
        self.zone = zone
        self.lock = threading.RLock()
        self.database = Database()
        self._fields: dict[str, dict[str, str]] = {}
        self._hidden: dict[str, set[str]] = {}
        self._forbidden: set[str] = set()
        for entity, fields in STANDARD_ENTITIES.items():
            self.define(entity, fields)

    def define(self, entity: str, fields: Mapping[str, str]) -> None:
        """Add an entity, or fields to one. Raises ValueError for a type that is neither plain nor an entity."""
        name = entity.upper()
        known = {*PLAIN_TYPES, *STANDARD_ENTITIES, *self._fields, name}
        odd = next((kind for kind in fields.values() if kind not in known), None)
        if odd is not None:
            raise ValueError(f"{name} has a field of the type {odd!r}, which is no type and no entity.")
        with self.lock:
            self._fields.setdefault(name, {}).update({**fields, **STAMPS})
            self.database.define(name, self._fields[name])
            self._show(name)

    def put(self, entity: str, fields: Mapping[str, object]) -> str:
        """Insert a record, or update the fields given of the one with that Id; return the Id.

        Raises ValueError for an unknown entity or field, and for a value that does not fit.
        """
        with self.lock:
            name = self.named(entity)
            row = self.stored(name, {field: value for field, value in fields.items() if field.lower() != "id"})
            stamp = kept("datetime", self.clock(), self.zone)
            key = next((int(str(value)) for field, value in fields.items() if field.lower() == "id" and value), None)
            if key is not None and self.database.find(name, key):
                self.database.update(name, key, {"Updated": stamp, **row})
                return str(key)
            own: Mapping[str, Kept] = {} if key is None else {"Id": key}
            return str(self.database.insert(name, {**own, "Created": stamp, "Updated": stamp, **row}))

    def remove(self, entity: str, key: str) -> None:
        """Put a record into the recycle bin. Queries do not show it; whether the vendor's do is not published."""
        self._bin(entity, key, deleted=True)

    def restore(self, entity: str, key: str) -> None:
        """Take a record out of the recycle bin; it counts as changed."""
        self._bin(entity, key, deleted=False)
        self.put(entity, {"Id": key})

    def purge(self, entity: str, key: str) -> None:
        """The record vanishes for good."""
        with self.lock:
            self.database.purge(self.named(entity), int(key))

    def find(self, entity: str, key: str, *, deleted: bool = False) -> dict[str, str] | None:
        """A record that queries show, or one of the recycle bin: all values text, as the API writes them."""
        with self.lock:
            name = self.named(entity)
            row = self.database.find(name, int(key), deleted=deleted)
            return None if row is None else self.written(name, row)

    def rows(self, entity: str) -> list[dict[str, str]]:
        """Every live record by its Id."""
        with self.lock:
            name = self.named(entity)
            return [self.written(name, row) for row in self.database.rows(name)]

    def hide(self, entity: str, field: str) -> None:
        """Take a field from the role: it is an invalid column from now on."""
        with self.lock:
            self._hidden.setdefault(self.named(entity), set()).add(field)
            self._show(self.named(entity))

    def forbid(self, entity: str) -> None:
        """Take an entity from the role: to every request it does not exist."""
        with self.lock:
            self._forbidden.add(self.named(entity))
            self._show(self.named(entity))

    def permit(self, entity: str) -> None:
        """Give an entity back to the role, with all its fields."""
        with self.lock:
            name = self.named(entity)
            self._forbidden.discard(name)
            self._hidden.pop(name, None)
            self._show(name)

    def named(self, entity: str) -> str:
        """The entity as it is spelled. Raises ValueError."""
        if entity.upper() not in self._fields:
            raise ValueError(f"The organisation has no entity {entity!r}; define it first.")
        return entity.upper()

    def seen(self, entity: str) -> Mapping[str, str]:
        """The fields of an entity that the role sees. Raises UnknownEntity."""
        name = entity.upper()
        if name not in self._fields or name in self._forbidden:
            raise UnknownEntity(entity)
        hidden = self._hidden.get(name, set())
        return {"Id": "number", **{f: kind for f, kind in self._fields[name].items() if f not in hidden}}

    def stored(self, entity: str, fields: Mapping[str, object]) -> Row:
        """The fields as they are kept, under their own spelling. Raises ValueError, naming the field."""
        spelled = {name.lower(): name for name in self._fields[entity]}
        row: Row = {}
        for field, value in fields.items():
            name = spelled.get(field.lower())
            if name is None:
                raise ValueError(f"{field}: {entity} has no such field")
            try:
                row[name] = kept(self._fields[entity][name], value, self.zone)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return row

    def written(self, entity: str, row: Row) -> dict[str, str]:
        """A record as the API writes it, with the fields that the role sees."""
        seen = self.seen(entity)
        return {
            name: shown(value)[:10] if seen[name] == "date" else shown(value)
            for name, value in row.items()
            if name in seen
        }

    def ask(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a translated statement."""
        with self.lock:
            return self.database.ask(sql)

    def _bin(self, entity: str, key: str, *, deleted: bool) -> None:
        with self.lock:
            name = self.named(entity)
            if self.database.find(name, int(key), deleted=not deleted) is None:
                raise ValueError(f"{name} has no record {key} {'' if deleted else 'in the recycle bin '}to take.")
            self.database.bin(name, int(key), deleted=deleted)

    def _show(self, entity: str) -> None:
        visible = entity not in self._forbidden
        self.database.show(entity, [f for f in self.seen(entity) if f != "Id"] if visible else None)
