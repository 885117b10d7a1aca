"""Which field of a source fills which column of the books: a mapping file as values that turn records into rows.

A record that cannot become a row becomes a `Reject` with a sentence: it is never dropped and never stops the walk.
Mapping files are read by `connectors/mapping_file.py`.
"""

import json
from collections import abc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

import msgspec

from books.columns import Kind
from books.entities import COMMON, Entity
from connectors.contract import Record
from connectors.fields import ColumnRule, Field, Read, joined, word
from connectors.transforms import BadValue, Convert

Row = dict[str, Any]
AccountBy = Literal["own", "crm", "billing_number"]

# Pseudo-fields that a connector adds to a record: where it stood, and why it could not be read.
FILE, LINE, ERROR = "_file", "_line", "_unreadable"
_encode = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode


@dataclass(frozen=True)
class Reject:
    """A record of the source that is not in the books, and why. `key` is empty where the record shows none."""

    object: str
    key: str
    reason: str


@dataclass(frozen=True)
class Account:
    """Which customer a row belongs to: a field, and whose id it holds.

    `own`: an account of the same system. `crm`: an account of the CRM. `billing_number`: the number of an account
    of the billing platform.
    """

    field: Field
    by: AccountBy = "own"


@dataclass(frozen=True)
class Filled:
    """The words that a field with a value can have: all but the empty one."""

    def __contains__(self, said: object) -> bool:
        return said != ""


@dataclass(frozen=True)
class Target:
    """An entity that records of one object fill. Rows come out with all columns, `account_key` still None."""

    object: str
    entity: Entity
    key: tuple[Field, ...]
    modified: ColumnRule | None
    account: Account | None
    where: tuple[tuple[Field, abc.Container[str]], ...]
    columns: tuple[ColumnRule, ...]
    raw: tuple[Field, ...]
    sensitive: frozenset[str] = frozenset()

    @property
    def account_by(self) -> AccountBy | None:
        """How `account_id` names the customer; None where a parent row or nothing does."""
        return self.account.by if self.account else None

    def takes(self, record: Record) -> bool:
        """Whether the record is for this target: its `where` conditions hold. Unreadable records are."""
        if ERROR in record:
            return True
        return not self.where or all(word(field.read(record)) in allowed for field, allowed in self.where)

    def unreadable(self, record: Record) -> bool:
        """Whether the source could not even parse the record."""
        return ERROR in record

    def key_of(self, record: Record) -> str | None:
        """The key that the record's row has, or None where a part of it is missing."""
        return self._key(record)

    def row(self, record: Record, system: str, synced_at: datetime) -> Row | Reject:
        """The row, or the reason why there is none. Never raises for what a record holds."""
        if ERROR in record:
            return Reject(self.object, _place(record) or self._key(record) or "", str(record[ERROR]))
        key = self._key(record)
        if key is None:
            return Reject(self.object, _place(record), f"The record has no usable {self._key_names}, which is its key.")
        row = self._blank.copy()
        row["system"], row["key"], row["synced_at"] = system, key, synced_at
        column = ""
        try:
            for column, read, convert in self._plan:
                value = read(record)
                if value is not None and value != "":
                    row[column] = convert(value)
        except BadValue as error:
            return Reject(self.object, key, self._sentence(column, str(error)))
        row["raw"] = self.raw_of(record)
        return row

    @cached_property
    def _key(self) -> Callable[[Record], str | None]:
        return joined(self.key)

    @cached_property
    def _key_names(self) -> str:
        return " or no usable ".join(f.path for f in self.key)

    @cached_property
    def _blank(self) -> Row:
        row: Row = dict.fromkeys(column.name for column in self.entity.columns)
        row["deleted"] = False
        row.update((rule.column, rule.otherwise) for rule in self.columns)
        return row

    @cached_property
    def rules(self) -> Sequence[ColumnRule]:
        """Every column that is filled, `account_id` and `modified_at` included."""
        rules = [*self.columns, *([self.modified] if self.modified else [])]
        if self.account:
            rules.append(ColumnRule("account_id", Kind.TEXT, (self.account.field,), word))
        return rules

    @cached_property
    def _plan(self) -> Sequence[tuple[str, Read, Convert]]:
        return [(rule.column, rule.read, rule.convert) for rule in self.rules if rule.convert]

    def raw_of(self, record: Record) -> str:
        """JSON of the fields that are kept; empty ones are left out."""
        names, paths = self._raw_reads
        kept = {name: v for name in names if (v := record.get(name)) is not None and v != ""}
        kept.update((path, v) for path, read in paths if (v := read(record)) is not None and v != "")
        try:
            return _encode(kept).decode()
        except UnicodeEncodeError:  # half a character, which only an escape can spell
            return json.dumps(kept, separators=(",", ":"), default=str)

    @cached_property
    def _raw_reads(self) -> tuple[Sequence[str], Sequence[tuple[str, Read]]]:
        """Names and, apart from them, paths: names are by far the most, and a plain look at the record is fastest."""
        names = [f.path for f in self.raw if not f.nested]
        return names, [(f.path, f.read) for f in self.raw if f.nested]

    def _sentence(self, column: str, why: str) -> str:
        rule = next(rule for rule in self.rules if rule.column == column)
        names = " and ".join(f.path for f in rule.fields)
        if any(f.path in self.sensitive for f in rule.fields):
            why = "does not fit (the field is sensitive, so its value is not shown)"
        return f"{names} {why}. It fills {self.entity.name}.{rule.column}."


@dataclass(frozen=True)
class LookUp:
    """Records of another object that belong to a record: those whose `match` equals the record's `by`.

    They come as a nested record called `name`: the one, or the one whose `first_by` is lowest.
    """

    object: str
    name: str
    by: Field
    match: str
    first_by: str | None = None


@dataclass(frozen=True)
class Join:
    """A table joined in the query itself; its columns are called `name.column`."""

    table: str
    name: str
    on: str


@dataclass(frozen=True)
class Mapped:
    """Rows of one page by target, and the records that did not become rows."""

    rows: Sequence[tuple[Target, Sequence[Row]]]
    rejects: Sequence[Reject]


@dataclass(frozen=True)
class ObjectMapping:
    """One object of the source and the entities that it fills.

    `modified` is the field of the cursor; None reads the object in full each time. `look_back_s` None leaves the
    connector's own. `on_demand` objects are read when somebody asks for a record, not by a walk; `optional` ones may
    be missing from a source that never had them. `options` are the keys that only one kind of connector knows
    (`pattern` of files, `deleted_types` of NetSuite).
    """

    name: str
    key: tuple[Field, ...]
    modified: Field | None
    look_back_s: int | None
    filter: str
    look_ups: tuple[LookUp, ...]
    join: Join | None
    on_demand: bool
    options: abc.Mapping[str, Any]
    targets: tuple[Target, ...]
    optional: bool = False

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field that the mapping reads, looked-up ones (`Tier.Price`) included, each once."""
        found: dict[str, None] = dict.fromkeys(f.path for f in (*self.key, *self._modified))
        for target in self.targets:
            account = (target.account.field,) if target.account else ()
            rules = (f for rule in target.columns for f in rule.fields)
            wheres = (f for f, _ in target.where)
            found.update(dict.fromkeys(f.path for f in (*target.key, *account, *wheres, *rules, *target.raw)))
        found.update(dict.fromkeys(look_up.by.path for look_up in self.look_ups))
        return tuple(name for name in found if name not in (FILE, LINE))

    @cached_property
    def census_fields(self) -> tuple[str, ...]:
        """The fields that a target needs to tell whether a record is its own, and under which key."""
        found = dict.fromkeys(f.path for f in self.key)
        for target in self.targets:
            found.update(dict.fromkeys(f.path for f in (*target.key, *(f for f, _ in target.where))))
        return tuple(found)

    def kind_of(self, field: str) -> Kind:
        """What a field is read as where several columns read it: a date or an instant if one of them is."""
        kinds = {rule.kind for t in self.targets for rule in t.columns for f in rule.fields if f.path == field}
        if self.modified and self.modified.path == field:
            return Kind.INSTANT
        return next((kind for kind in (Kind.INSTANT, Kind.DATE) if kind in kinds), Kind.TEXT)

    def book(self, records: Iterable[Record], system: str, synced_at: datetime) -> Mapped:
        """Turn the records of a page into rows of every target that takes them.

        A record that two targets refuse for the same reason is one reject.
        """
        rejects: dict[tuple[int, Reject], None] = {}
        rows: list[list[Row]] = [[] for _ in self.targets]
        for n, record in enumerate(records):
            for into, target in zip(rows, self.targets, strict=True):
                if target.takes(record):
                    row = target.row(record, system, synced_at)
                    if isinstance(row, Reject):
                        rejects[n, row] = None
                    else:
                        into.append(row)
        return Mapped(list(zip(self.targets, rows, strict=True)), [reject for _, reject in rejects])

    @property
    def _modified(self) -> tuple[Field, ...]:
        return (self.modified,) if self.modified else ()


@dataclass(frozen=True)
class Mapping:
    """A mapping file: the kind of connector that it is for, its objects, and the hash of what it says."""

    connector: str
    objects: abc.Mapping[str, ObjectMapping]
    hash: str = field(compare=False)

    @property
    def entities(self) -> frozenset[str]:
        """The entities that the mapping fills."""
        return frozenset(t.entity.name for o in self.objects.values() for t in o.targets)

    @property
    def walked(self) -> tuple[str, ...]:
        """The objects that a sync walks, in the order of the file."""
        return tuple(name for name, o in self.objects.items() if not o.on_demand)


def own_columns(entity: Entity) -> abc.Mapping[str, Kind]:
    """The columns that a mapping may fill, by name: the entity's own, not the common ones."""
    common = {column.name for column in COMMON}
    return {column.name: column.kind for column in entity.columns if column.name not in common}


def _place(record: Record) -> str:
    return f"{record[FILE]}:{record.get(LINE, '')}" if FILE in record else ""
