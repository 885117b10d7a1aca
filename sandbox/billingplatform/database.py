"""The records in SQLite: a table per entity, and a view of what queries see of it."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.billingplatform.schema import Fields
from sandbox.billingplatform.values import EXACT_DIGITS, Kept, scatter, to_char, to_date

Row = dict[str, Kept]
_DELETED = "__deleted"
_TEXTS = ("text", "flag", "date", "datetime")


class _Sum:
    """SUM without the noise of binary fractions."""

    def __init__(self) -> None:
        self._sum: Decimal | None = None

    def step(self, value: float | None, /) -> None:
        if value is not None:
            self._sum = (self._sum or Decimal(0)) + Decimal(format(value, f".{EXACT_DIGITS}g"))

    def finalize(self) -> Any:  # typeshed lets an aggregate give a whole number only
        return None if self._sum is None else float(self._sum)


class Database:
    """Not thread-safe by itself: its owner holds a lock."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA case_sensitive_like = ON")
        for name, arguments, function in (
            ("TO_CHAR", -1, to_char),
            ("TO_DATE", 2, to_date),
            ("TO_TIMESTAMP", 2, to_date),
            ("SCATTER", 2, scatter),
        ):
            self._connection.create_function(name, arguments, function, deterministic=True)
        self._connection.create_aggregate("SUM", 1, _Sum)

    def define(self, entity: str, fields: Fields) -> None:
        """Make the table, or add the fields that it lacks."""
        table = _table(entity)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (Id INTEGER PRIMARY KEY, {_DELETED} INTEGER)")
        there = {row["name"] for row in self._connection.execute(f"PRAGMA table_info({table})")}
        for name, kind in fields.items():
            if name not in there:
                affinity = "TEXT" if kind in _TEXTS else "NUMERIC"
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {affinity}")

    def show(self, entity: str, names: Collection[str] | None) -> None:
        """Let queries see these fields of the live records; None: let them see no such entity."""
        self._connection.execute(f"DROP VIEW IF EXISTS {quoted(entity)}")
        if names is not None:
            listed = ", ".join(map(quoted, ("Id", *names)))
            self._connection.execute(
                f"CREATE VIEW {quoted(entity)} AS SELECT {listed} FROM {_table(entity)} WHERE {_DELETED} = 0"
            )

    def insert(self, entity: str, row: Mapping[str, Kept]) -> int:
        names = ", ".join(map(quoted, (*row, _DELETED)))
        marks = ", ".join("?" * (len(row) + 1))
        cursor = self._connection.execute(
            f"INSERT INTO {_table(entity)} ({names}) VALUES ({marks})", [*row.values(), 0]
        )
        return int(cursor.lastrowid or 0)

    def update(self, entity: str, key: int, row: Mapping[str, Kept]) -> None:
        changed = ", ".join(f"{quoted(name)} = ?" for name in row)
        self._connection.execute(f"UPDATE {_table(entity)} SET {changed} WHERE Id = ?", [*row.values(), key])

    def find(self, entity: str, key: int, *, deleted: bool = False) -> Row | None:
        """The live record, or the one in the recycle bin."""
        found = self._connection.execute(
            f"SELECT * FROM {_table(entity)} WHERE Id = ? AND {_DELETED} = ?", [key, int(deleted)]
        ).fetchone()
        return _row(found) if found else None

    def having(self, entity: str, field: str, value: Kept) -> int | None:
        """The live record with that value, if there is exactly one."""
        found = self._connection.execute(
            f"SELECT Id FROM {_table(entity)} WHERE {quoted(field)} = ? AND {_DELETED} = 0", [value]
        ).fetchall()
        return int(found[0]["Id"]) if len(found) == 1 else None

    def bin(self, entity: str, key: int, *, deleted: bool) -> None:
        self._connection.execute(f"UPDATE {_table(entity)} SET {_DELETED} = ? WHERE Id = ?", [int(deleted), key])

    def purge(self, entity: str, key: int) -> None:
        self._connection.execute(f"DELETE FROM {_table(entity)} WHERE Id = ?", [key])

    def rows(self, entity: str) -> list[Row]:
        """Every live record."""
        return [
            _row(row)
            for row in self._connection.execute(f"SELECT * FROM {_table(entity)} WHERE {_DELETED} = 0 ORDER BY Id")
        ]

    def ask(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a translated statement. Raises sqlite3.Error."""
        return [tuple(row) for row in self._connection.execute(sql)]


def quoted(name: str) -> str:
    """An SQL identifier."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _table(entity: str) -> str:
    return quoted(f"__{entity}")


def _row(found: sqlite3.Row) -> Row:
    return {name: value for name, value in dict(found).items() if name != _DELETED}
