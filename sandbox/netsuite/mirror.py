"""A DuckDB copy of the tables, brought up to date when a query needs it and read under a transaction."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from sandbox.netsuite.columns import FRACTION_DIGITS, INTEGER_DIGITS
from sandbox.netsuite.table import Row, Table

NUMBER = "__number"
"""The hidden column with the row's own number; no query can name it."""

NUMBER_TEXT = "number_text"
"""A macro: a number as plain decimal text, without an exponent and without the zeros of its scale."""

_ARROW = {
    "integer": pa.int64(),
    "text": pa.string(),
    "boolean": pa.string(),
    "number": pa.decimal128(INTEGER_DIGITS + FRACTION_DIGITS, FRACTION_DIGITS),
    "date": pa.date32(),
    "datetime": pa.timestamp("us", tz="UTC"),
}


class Snapshot:
    """A cursor in a transaction of its own: whatever is written later, it goes on seeing the same rows."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
        self._cursor = cursor
        cursor.execute("BEGIN TRANSACTION")
        # DuckDB fixes what a transaction sees at its first statement, not at BEGIN.
        for table in tables:
            cursor.execute(f"SELECT 1 FROM {quoted(table)} LIMIT 0")

    def fetch(self, sql: str) -> list[tuple[object, ...]]:
        return self._cursor.execute(sql).fetchall()

    def types(self, sql: str) -> list[str]:
        """The DuckDB type of each column that the statement would return."""
        return [str(row[1]) for row in self._cursor.execute(f"DESCRIBE {sql}").fetchall()]

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._cursor.close()


class Mirror:
    """The copy. `snapshot` must be called while the account is held still."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._database = duckdb.connect(":memory:", config={"autoload_known_extensions": "false"})
        self._database.execute(f"SET GLOBAL TimeZone = {literal(zone.key)}")
        self._database.execute(f"CREATE TABLE dual AS SELECT 'X' AS dummy, 1 AS {NUMBER}")
        self._database.execute(
            f"CREATE MACRO {NUMBER_TEXT}(x) AS "
            f"rtrim(rtrim(CAST(CAST(x AS DECIMAL(38,{FRACTION_DIGITS})) AS VARCHAR), '0'), '.')"
        )

    def snapshot(self, tables: Sequence[Table]) -> Snapshot:
        for table in tables:
            self._refresh(table)
        return Snapshot(self._database.cursor(), [table.name for table in tables])

    def _refresh(self, table: Table) -> None:
        if table.redefined or len(table.changed) * 2 > len(table.rows):
            self._load(table)
        elif table.changed:
            self._patch(table)
        table.redefined = False
        table.changed.clear()

    def _load(self, table: Table) -> None:
        """Copy every row, in an order that tells nothing: ROWNUM must not follow the order of insertion."""
        self._database.register("__incoming", _arrow(table, table.rows))
        self._database.execute(
            f"CREATE OR REPLACE TABLE {quoted(table.name)} AS SELECT * FROM __incoming ORDER BY hash({NUMBER})"
        )
        self._database.unregister("__incoming")

    def _patch(self, table: Table) -> None:
        name = quoted(table.name)
        self._database.register("__gone", pa.table({NUMBER: pa.array(sorted(table.changed), pa.int64())}))
        self._database.register("__incoming", _arrow(table, sorted(table.changed & table.rows.keys())))
        self._database.execute("BEGIN TRANSACTION")
        self._database.execute(f"DELETE FROM {name} WHERE {NUMBER} IN (SELECT {NUMBER} FROM __gone)")
        self._database.execute(f"INSERT INTO {name} SELECT * FROM __incoming")
        self._database.execute("COMMIT")
        self._database.unregister("__gone")
        self._database.unregister("__incoming")


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _arrow(table: Table, numbers: Iterable[int]) -> pa.Table:
    chosen = list(numbers)
    rows: list[Row] = [table.rows[number] for number in chosen]
    arrays = [pa.array([row.get(column) for row in rows], _ARROW[kind]) for column, kind in table.columns.items()]
    return pa.table([*arrays, pa.array(chosen, pa.int64())], names=[*table.columns, NUMBER])
