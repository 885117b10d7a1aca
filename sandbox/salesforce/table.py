"""The rows of one object, and views of them that no later write changes."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from operator import itemgetter

from sandbox.salesforce.fields import ID, STAMP, SYSTEM_FIELDS, Field, Value

Row = tuple[Value, ...]


class Shape:
    """An object's name, key prefix and fields; a row holds its values in the order of `fields`.

    `hidden` are names, in lower case, of fields that the API does not show: there are only the `visible` ones for it.
    """

    def __init__(self, name: str, prefix: str, fields: Iterable[Field], hidden: frozenset[str] = frozenset()) -> None:
        self.name = name
        self.prefix = prefix
        self.fields = (*SYSTEM_FIELDS, *fields)
        self.visible = tuple(field for field in self.fields if field.name.lower() not in hidden)
        self.blank_row: Row = tuple(blank(field) for field in self.fields)
        self._places = {field.name.lower(): place for place, field in enumerate(self.fields)}
        self._lookups = {
            field.relationship.lower(): place for place, field in enumerate(self.fields) if field.relationship
        }
        for gone in hidden & self._places.keys():
            field = self.fields[self._places.pop(gone)]
            self._lookups.pop((field.relationship or "").lower(), None)

    def hiding(self, hidden: frozenset[str]) -> "Shape":
        """The same as the API sees it with these fields hidden."""
        return Shape(self.name, self.prefix, self.fields[len(SYSTEM_FIELDS) :], hidden) if hidden else self

    def renaming(self, old: str, new: str) -> "Shape":
        """The same with another name of one field; a row keeps its value under it."""
        fields = (replace(field, name=new) if field.name == old else field for field in self.fields)
        return Shape(self.name, self.prefix, tuple(fields)[len(SYSTEM_FIELDS) :])

    def place(self, field_name: str) -> int | None:
        """Where a row keeps the field, whatever the case of its name."""
        return self._places.get(field_name.lower())

    def lookup(self, relationship: str) -> int | None:
        """Where a row keeps the id of the parent that a query reaches by this relationship name."""
        return self._lookups.get(relationship.lower())


class TableView:
    """The rows of one object at one instant."""

    def __init__(self, shape: Shape, rows: Mapping[str, Row]) -> None:
        self.shape = shape
        self.rows = rows

    @cached_property
    def by_stamp(self) -> list[Row]:
        """All rows by SystemModstamp, then Id."""
        ordered = sorted(self.rows.values(), key=itemgetter(ID))
        ordered.sort(key=itemgetter(STAMP))
        return ordered

    @cached_property
    def shuffled(self) -> list[Row]:
        """All rows in an order that means nothing, the same each time: by the id read backwards."""
        return sorted(self.rows.values(), key=meaningless_order)

    def stamped(self, low: datetime | None, high: datetime | None) -> list[Row]:
        """The rows stamped from `low` to `high`, both included, by SystemModstamp, then Id."""
        rows = self.by_stamp
        start = 0 if low is None else bisect_left(rows, low, key=_stamp)
        end = len(rows) if high is None else bisect_right(rows, high, key=_stamp)
        return rows[start:end] if start or end < len(rows) else rows


class Table:
    """The current rows of one object. A view once given stays as it was: the next write copies first."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._hidden: frozenset[str] = frozenset()
        self._rows: dict[str, Row] = {}
        self._view: TableView | None = None

    def view(self) -> TableView:
        if self._view is None:
            self._view = TableView(self.shape.hiding(self._hidden), self._rows)
        return self._view

    def hide(self, field_name: str, *, hidden: bool) -> None:
        """Whether the API shows a field; the rows keep its values."""
        self._hidden = self._hidden | {field_name.lower()} if hidden else self._hidden - {field_name.lower()}
        self._view = None

    def rename(self, old: str, new: str) -> None:
        self.shape = self.shape.renaming(old, new)
        self._view = None

    def get(self, record_id: str) -> Row | None:
        return self._rows.get(record_id)

    def write(self, record_id: str, row: Row) -> None:
        self._leave_view()
        self._rows[record_id] = row

    def drop(self, record_id: str) -> None:
        self._leave_view()
        del self._rows[record_id]

    def reshape(self, shape: Shape) -> None:
        """Take other fields; columns that stay keep their values, new ones are null or false."""
        kept = [(field, self.shape.place(field.name)) for field in shape.fields]
        self._view = None
        self._rows = {
            record_id: tuple(
                row[place] if place is not None and self.shape.fields[place].type == field.type else blank(field)
                for field, place in kept
            )
            for record_id, row in self._rows.items()
        }
        self.shape = shape

    def _leave_view(self) -> None:
        if self._view is not None:
            self._rows = dict(self._rows)
            self._view = None


def blank(field: Field) -> Value:
    return False if field.type == "boolean" else None


def meaningless_order(row: Row) -> str:
    return str(row[ID])[14::-1]


def _stamp(row: Row) -> datetime:
    stamp = row[STAMP]
    assert isinstance(stamp, datetime)
    return stamp
