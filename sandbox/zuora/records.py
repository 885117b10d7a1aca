"""The records of one tenant, in memory: typed fields, ids, stamps, and equality lookups that stay quick."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import RLock

from sandbox.zuora.ids import make_id
from sandbox.zuora.schema import PYTHON_TYPES, STANDARD_OBJECTS, SYSTEM_FIELDS, Row, Value, checked


class Records:
    """Rows by object and Id. A stored row is never changed, only replaced: who holds one holds a snapshot.

    Every method takes `lock`; hold it to do several steps as one. Methods raise ValueError in a sentence for
    an unknown object, field or record, and for a value of the wrong type.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.lock = RLock()
        self._fields: dict[str, dict[str, str]] = {}
        self._rows: dict[str, dict[str, Row]] = {}
        self._indexes: dict[tuple[str, str], dict[Value, dict[str, None]]] = {}
        self._made: Counter[str] = Counter()
        self._hidden: set[tuple[str, str]] = set()
        self._options: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, fields in STANDARD_OBJECTS.items():
            self.define(name, fields)

    def define(self, object_name: str, fields: Mapping[str, str]) -> None:
        """Add an object, or fields to one that exists."""
        with self.lock:
            known = self._fields.setdefault(object_name, dict(SYSTEM_FIELDS))
            self._rows.setdefault(object_name, {})
            for name, kind in fields.items():
                if kind not in PYTHON_TYPES:
                    raise ValueError(f"{object_name}.{name}: there is no field type {kind!r}.")
                if known.setdefault(name, kind) != kind:
                    raise ValueError(f"{object_name}.{name} is already a {known[name]}, not a {kind}.")

    def drop_field(self, object_name: str, field: str) -> None:
        """Take a field away, as a changed permission or a removed custom field does; its values are lost."""
        with self.lock:
            if field in SYSTEM_FIELDS or self.fields(object_name).get(field) is None:
                raise ValueError(f"{object_name}.{field} cannot be removed.")
            del self._fields[object_name][field]
            self._indexes.pop((object_name, field), None)
            rows = self._rows[object_name]
            self._rows[object_name] = {
                key: {name: value for name, value in row.items() if name != field} for key, row in rows.items()
            }

    def rename_field(self, object_name: str, old: str, new: str) -> None:
        """The field has another name from now on, and keeps its values."""
        with self.lock:
            kind = self.fields(object_name).get(old)
            if old in SYSTEM_FIELDS or kind is None or new in self.fields(object_name):
                raise ValueError(f"{object_name}.{old} cannot be called {new}.")
            held = {key: row[old] for key, row in self._rows[object_name].items() if old in row}
            self.drop_field(object_name, old)
            self.define(object_name, {new: kind})
            for key, value in held.items():
                self._store(object_name, {**self._rows[object_name][key], new: value})

    def hide(self, object_name: str, field: str = "") -> None:
        """Whoever asks does not see the object any more, or this field of it; the values stay."""
        with self.lock:
            if field and field not in self.fields(object_name):
                raise ValueError(f"{object_name} has no field {field}.")
            self.fields(object_name)
            self._hidden.add((object_name, field))

    def reveal(self) -> None:
        """Everything can be seen again."""
        with self.lock:
            self._hidden.clear()

    def visible_objects(self) -> tuple[str, ...]:
        with self.lock:
            return tuple(name for name in self._fields if (name, "") not in self._hidden)

    def visible_fields(self, object_name: str) -> Mapping[str, str]:
        with self.lock:
            fields = self.fields(object_name)
            return {name: kind for name, kind in fields.items() if (object_name, name) not in self._hidden}

    def set_options(self, object_name: str, field: str, options: Iterable[str]) -> None:
        """What a picklist may hold, as its description tells; nothing is refused for it."""
        with self.lock:
            if self.fields(object_name).get(field) != "picklist":
                raise ValueError(f"{object_name}.{field} is no picklist.")
            self._options[object_name, field] = tuple(options)

    def options(self, object_name: str, field: str) -> tuple[str, ...]:
        with self.lock:
            return self._options.get((object_name, field), ())

    def objects(self) -> tuple[str, ...]:
        with self.lock:
            return tuple(self._fields)

    def fields(self, object_name: str) -> Mapping[str, str]:
        """Field types by name."""
        with self.lock:
            if object_name not in self._fields:
                raise ValueError(f"There is no object {object_name!r} in this tenant.")
            return self._fields[object_name]

    def put(self, object_name: str, row: Mapping[str, Value | None]) -> str:
        """Insert the row, or update the named fields of the record with its Id; None empties a field."""
        with self.lock:
            given = self._checked(object_name, row)
            identity = str(given.get("Id") or self._next_id(object_name))
            old = self._rows[object_name].get(identity, {})
            now = checked(object_name, "UpdatedDate", "datetime", self.clock())
            stamps = {"Id": identity, "CreatedDate": old.get("CreatedDate", now), "UpdatedDate": now}
            merged: dict[str, Value | None] = {**old, **stamps, **given}
            self._store(object_name, {name: value for name, value in merged.items() if value is not None})
            return identity

    def remove(self, object_name: str, identity: str) -> None:
        """Forget the record for good: a hard delete, which ZOQL shows by absence only."""
        with self.lock:
            self.get(object_name, identity)
            self._unindex(object_name, self._rows[object_name].pop(identity))

    def get(self, object_name: str, identity: str) -> Row:
        with self.lock:
            self.fields(object_name)
            if identity not in self._rows[object_name]:
                raise ValueError(f"There is no {object_name} with the id {identity!r}.")
            return self._rows[object_name][identity]

    def rows(self, object_name: str) -> list[Row]:
        """All records of the object, in the order of their insertion."""
        with self.lock:
            self.fields(object_name)
            return list(self._rows[object_name].values())

    def where(self, object_name: str, field: str, values: Iterable[Value]) -> list[Row]:
        """The records whose field equals one of the values, found through an index."""
        with self.lock:
            index = self._index(object_name, field)
            keys = {key: None for value in values for key in index.get(value, ())}
            return [self._rows[object_name][key] for key in keys]

    def _checked(self, object_name: str, row: Mapping[str, Value | None]) -> dict[str, Value | None]:
        fields = self.fields(object_name)
        unknown = row.keys() - fields.keys()
        if unknown:
            raise ValueError(f"{object_name} has no field {', '.join(sorted(unknown))}.")
        return {
            name: None if value is None else checked(object_name, name, fields[name], value)
            for name, value in row.items()
            if value is not None or name not in SYSTEM_FIELDS
        }

    def _next_id(self, object_name: str) -> str:
        while True:
            self._made[object_name] += 1
            identity = make_id(object_name, self._made[object_name])
            if identity not in self._rows[object_name]:
                return identity

    def _store(self, object_name: str, row: Row) -> None:
        identity = str(row["Id"])
        old = self._rows[object_name].get(identity)
        if old is not None:
            self._unindex(object_name, old)
        self._rows[object_name][identity] = row
        for (indexed, field), index in self._indexes.items():
            if indexed == object_name and field in row:
                index.setdefault(row[field], {})[identity] = None

    def _unindex(self, object_name: str, row: Row) -> None:
        for (indexed, field), index in self._indexes.items():
            if indexed == object_name and field in row:
                index[row[field]].pop(str(row["Id"]), None)

    def _index(self, object_name: str, field: str) -> dict[Value, dict[str, None]]:
        """The index of the field, built on first use and kept up by every later change."""
        index = self._indexes.get((object_name, field))
        if index is None:
            index = self._indexes[object_name, field] = {}
            for row in self.rows(object_name):
                if field in row:
                    index.setdefault(row[field], {})[str(row["Id"])] = None
        return index
