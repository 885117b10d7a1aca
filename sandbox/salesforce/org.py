"""The org: objects, their rows and their delete logs, in memory and safe to use from several threads."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import RLock
from typing import Any

from sandbox.salesforce.deletions import Deleted, DeleteLog, window
from sandbox.salesforce.fields import (
    CREATED,
    ID,
    IS_DELETED,
    MODIFIED,
    STAMP,
    SYSTEM_FIELDS,
    Field,
    Value,
    accepted,
    declared_field,
    whole_second,
)
from sandbox.salesforce.ids import base62, make_id, normal_id
from sandbox.salesforce.lookups import target
from sandbox.salesforce.table import Row, Shape, Table, TableView

_KEY_PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "OpportunityLineItem": "00k",
    "Pricebook2": "01s",
    "Product2": "01t",
    "PricebookEntry": "01u",
    "Asset": "02i",
    "Quote": "0Q0",
    "QuoteLineItem": "0QL",
    "Contract": "800",
    "Order": "801",
    "OrderItem": "802",
}


class OrgView:
    """Every object of the org at one instant; later writes do not show."""

    def __init__(self, tables: Mapping[str, TableView]) -> None:
        self._tables = tables

    def table(self, object_name: str) -> TableView | None:
        return self._tables.get(object_name.lower())

    def names(self) -> list[str]:
        return [table.shape.name for table in self._tables.values()]

    def target(self, shape: Shape, field: Field) -> str | None:
        """The object that a lookup points at."""
        return target(shape.name, field, self.names())


class SalesforceOrg:
    """Records by object. `clock` gives the aware current time for stamps, date literals, sessions and quotas."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = RLock()
        self._tables: dict[str, Table] = {}
        self._logs: dict[str, DeleteLog] = {}
        self._next_number: dict[str, int] = {}
        self._forbidden: set[str] = set()
        self._uncommitted: list[tuple[Table, str, Row]] = []

    def now(self) -> datetime:
        """The clock in UTC, in whole seconds as Salesforce stamps are."""
        return whole_second(self._clock())

    def define(self, object_name: str, fields: Mapping[str, str]) -> None:
        """Add an object, or give an existing one other fields (rows keep the columns that stay).

        `fields` maps names to types: id, string, picklist, boolean, int, double, currency, percent, date, datetime,
        reference or `reference(Target)`. The system fields are added. ValueError for an unknown type or a system name.
        """
        own = [declared_field(name, declared) for name, declared in fields.items()]
        taken = {field.name.lower() for field in SYSTEM_FIELDS} & {field.name.lower() for field in own}
        if taken:
            raise ValueError(f"{object_name} declares {sorted(taken)}, which Salesforce adds by itself.")
        with self._lock:
            table = self._tables.get(object_name.lower())
            if table is None:
                self._tables[object_name.lower()] = Table(Shape(object_name, self._prefix(object_name), own))
                self._logs[object_name.lower()] = DeleteLog()
            else:
                table.reshape(Shape(object_name, table.shape.prefix, own))

    def put(self, object_name: str, row: Mapping[str, Any]) -> str:
        """Insert, or update the record with the given Id, and return its 18-character id.

        Values are str, bool, int, Decimal, date, aware datetime or None; fields not named keep their value.
        SystemModstamp and LastModifiedDate come from the clock unless given; so a formula that recalculates without
        moving the stamp is a put that repeats the old stamp. ValueError for an unknown object or field, a value of
        another type, or a record that is in the recycle bin.
        """
        with self._lock:
            table = self._table(object_name)
            record_id, written = self._written(table, row)
            table.write(record_id, written)
            return record_id

    def put_uncommitted(self, object_name: str, row: Mapping[str, Any]) -> str:
        """As `put`, stamped now, but nobody sees it before `commit`: what a long transaction does (vendors.md E1)."""
        with self._lock:
            table = self._table(object_name)
            record_id, written = self._written(table, row)
            self._uncommitted.append((table, record_id, written))
            return record_id

    def commit(self) -> None:
        """Show what was put uncommitted, with the stamps that it got then."""
        with self._lock:
            for table, record_id, written in self._uncommitted:
                table.write(record_id, written)
            self._uncommitted.clear()

    def hide(self, object_name: str, field_name: str | None = None) -> None:
        """Take a permission away: of a field, or of the whole object. The API then knows neither."""
        self._permit(object_name, field_name, hidden=True)

    def show(self, object_name: str, field_name: str | None = None) -> None:
        """Give back what `hide` took."""
        self._permit(object_name, field_name, hidden=False)

    def rename(self, object_name: str, old: str, new: str) -> None:
        """Give a field another name; the records keep its values. ValueError for a field that is not there."""
        with self._lock:
            table = self._table(object_name)
            if table.shape.place(old) is None:
                raise ValueError(f"{object_name} has no field {old}; define it first.")
            table.rename(old, new)

    def remove(self, object_name: str, record_id: str) -> None:
        """Move a record to the recycle bin: IsDeleted, a new stamp, an entry in the delete log."""
        with self._lock:
            table, row = self._record(object_name, record_id)
            now = self.now()
            table.write(str(row[ID]), _changed(row, {IS_DELETED: True, MODIFIED: now, STAMP: now}))
            self._logs[object_name.lower()].add(str(row[ID]), now)

    def restore(self, object_name: str, record_id: str) -> None:
        """Take a record out of the recycle bin: no longer deleted, a new stamp, no entry in the delete log."""
        with self._lock:
            table, row = self._record(object_name, record_id)
            now = self.now()
            table.write(str(row[ID]), _changed(row, {IS_DELETED: False, MODIFIED: now, STAMP: now}))
            self._logs[object_name.lower()].forget(str(row[ID]))

    def purge(self, object_name: str, record_id: str) -> None:
        """Hard delete: the row and its entry in the delete log are gone, queryAll does not show it either."""
        with self._lock:
            table, row = self._record(object_name, record_id)
            table.drop(str(row[ID]))
            self._logs[object_name.lower()].purge(str(row[ID]), self.now())

    def rows(self, object_name: str) -> list[dict[str, Value]]:
        """All records, those in the recycle bin included, by Id; Python values, every field present."""
        view = self._view_of(object_name)
        names = [field.name for field in view.shape.fields]
        ordered = sorted(view.rows.values(), key=lambda row: str(row[ID]))
        return [dict(zip(names, row, strict=True)) for row in ordered]

    def names(self) -> list[str]:
        return self.view().names()

    def deleted(self, object_name: str, start: datetime, end: datetime) -> Deleted:
        """What getDeleted knows of [start, end); errors as `DeleteLog.between`, ValueError for no such object."""
        with self._lock:
            self._table(object_name)
            return self._logs[object_name.lower()].between(start, end, self.now())

    def updated(self, object_name: str, start: datetime, end: datetime) -> list[str]:
        """The live records that were changed in [start, end); errors as for `deleted`."""
        start, end = window(start, end)
        rows = self._view_of(object_name).rows.values()
        live = [(row[ID], row[STAMP]) for row in rows if not row[IS_DELETED]]
        return [str(key) for key, stamp in live if isinstance(stamp, datetime) and start <= stamp < end]

    def view(self) -> OrgView:
        """The whole org at this instant."""
        with self._lock:
            seen = {name: table for name, table in self._tables.items() if name not in self._forbidden}
            return OrgView({name: table.view() for name, table in seen.items()})

    def _permit(self, object_name: str, field_name: str | None, *, hidden: bool) -> None:
        with self._lock:
            table = self._table(object_name)
            if field_name is not None:
                table.hide(field_name, hidden=hidden)
            elif hidden:
                self._forbidden.add(object_name.lower())
            else:
                self._forbidden.discard(object_name.lower())

    def _written(self, table: Table, row: Mapping[str, Any]) -> tuple[str, Row]:
        """The record's id and the row that it becomes."""
        values = _accepted_row(table.shape, row)
        record_id = str(values.get(ID) or self._new_id(table))
        old = table.get(record_id)
        if old is not None and old[IS_DELETED]:
            raise ValueError(f"{table.shape.name} {record_id} is deleted; restore it before you change it.")
        now = self.now()
        defaults: dict[int, Value] = {ID: record_id, MODIFIED: now, STAMP: now}
        if old is None:
            defaults[CREATED] = now
        return record_id, _changed(old or table.shape.blank_row, defaults | values)

    def _view_of(self, object_name: str) -> TableView:
        with self._lock:
            return self._table(object_name).view()

    def _table(self, object_name: str) -> Table:
        table = self._tables.get(object_name.lower())
        if table is None:
            raise ValueError(f"The org has no object {object_name}; define it first.")
        return table

    def _record(self, object_name: str, record_id: str) -> tuple[Table, Row]:
        table = self._table(object_name)
        row = table.get(normal_id(record_id) or record_id)
        if row is None:
            raise ValueError(f"{table.shape.name} has no record {record_id}.")
        return table, row

    def _new_id(self, table: Table) -> str:
        number = self._next_number.get(table.shape.prefix, 1)
        while table.get(make_id(table.shape.prefix, number)) is not None:
            number += 1
        self._next_number[table.shape.prefix] = number + 1
        return make_id(table.shape.prefix, number)

    def _prefix(self, object_name: str) -> str:
        """The standard key prefix, or for the others a00, a01, ... in the order of their definition."""
        others = [name for name in self._names() if name not in _KEY_PREFIXES]
        return _KEY_PREFIXES.get(object_name) or "a" + base62(len(others)).rjust(2, "0")

    def _names(self) -> Iterable[str]:
        return (table.shape.name for table in self._tables.values())


def _accepted_row(shape: Shape, row: Mapping[str, Any]) -> dict[int, Value]:
    values: dict[int, Value] = {}
    for name, value in row.items():
        place = shape.place(name)
        if place is None:
            raise ValueError(f"{shape.name} has no field {name}; define it first.")
        if place == IS_DELETED:
            raise ValueError("IsDeleted is not written; use remove and restore.")
        values[place] = accepted(shape.fields[place], value)
        if place < len(SYSTEM_FIELDS) and values[place] is None:
            raise ValueError(f"{shape.name}.{name} cannot be null.")
    return values


def _changed(row: Row, values: Mapping[int, Value]) -> Row:
    return tuple(values.get(place, old) for place, old in enumerate(row))
