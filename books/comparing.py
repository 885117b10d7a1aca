"""What a table holds of the rows that are about to be written, asked of DuckDB: it reads only the columns it needs."""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

# Not compared: the partition and the key are equal, the owner is found later, the moment of writing always differs.
_NOT_SAID = frozenset({"system", "key", "account_key", "synced_at"})


def known_keys(engine: duckdb.DuckDBPyConnection, rows: pa.Table, files: Sequence[str]) -> pa.Array:
    """The keys of `rows` that the files hold, tombstones included."""
    return _keys(engine, files, "SELECT s.key FROM s SEMI JOIN held t ON t.key = s.key", rows)


def changed_keys(engine: duckdb.DuckDBPyConnection, rows: pa.Table, files: Sequence[str]) -> pa.Array:
    """The keys that the files hold with another content: any column, or a tombstone that has come back to life."""
    said = [name for name in rows.schema.names if name not in _NOT_SAID]
    differs = " OR ".join(f's."{name}" IS DISTINCT FROM t."{name}"' for name in said)
    return _keys(engine, files, f"SELECT DISTINCT s.key FROM s JOIN held t ON t.key = s.key WHERE {differs}", rows)


def changed_columns(engine: duckdb.DuckDBPyConnection, rows: pa.Table, files: Sequence[str]) -> dict[str, int]:
    """How many live rows of the files differ from `rows` of the same key, by column; "" counts rows, not columns."""
    if not files:
        return {}
    said = [name for name in rows.schema.names if name not in _NOT_SAID and name != "deleted"]
    differs = {name: f's."{name}" IS DISTINCT FROM t."{name}"' for name in said} | {"": ""}
    differs[""] = " OR ".join(filter(None, differs.values()))
    counts = ", ".join(
        f'count(*) FILTER (WHERE {condition}) AS "{name or "any"}"' for name, condition in differs.items()
    )
    found = _answer(
        engine, files, f"SELECT {counts} FROM s JOIN (FROM held WHERE NOT deleted) t ON t.key = s.key", rows
    )
    return {name: count for name, (count,) in zip(differs, found.to_pydict().values(), strict=True) if count}


def live_keys(engine: duckdb.DuckDBPyConnection, files: Sequence[str], among: pa.Array | None) -> pa.Array:
    """The keys of rows that are no tombstones: all, or those among the given ones."""
    if among is None:
        return _keys(engine, files, "SELECT t.key FROM held t WHERE NOT t.deleted")
    wanted = pa.table({"key": among})
    return _keys(engine, files, "SELECT t.key FROM held t SEMI JOIN s ON s.key = t.key WHERE NOT t.deleted", wanted)


def parquet(files: Sequence[str]) -> str:
    """Files of one table as DuckDB reads them."""
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return (
        f"read_parquet([{listed}], hive_partitioning = true, union_by_name = true, hive_types = {{'system': VARCHAR}})"
    )


def padded(engine: duckdb.DuckDBPyConnection, files: Sequence[str], schema: pa.Schema) -> str:
    """The same, with a null for each column of the schema that none of the files has: they are of an earlier version.

    Every file is opened to find out. Who reads asks for it only where DuckDB misses a column.
    """
    there = set(engine.sql(f"SELECT * FROM {parquet(files)}").columns)
    nulls = [null for name, null in _nulls(engine, schema).items() if name not in there]
    return f"(SELECT {', '.join(['*', *nulls])} FROM {parquet(files)})"


def no_rows(engine: duckdb.DuckDBPyConnection, schema: pa.Schema) -> str:
    """What stands after FROM for a table of the schema that holds nothing."""
    return f"(SELECT {', '.join(_nulls(engine, schema).values())} LIMIT 0)"


def _nulls(engine: duckdb.DuckDBPyConnection, schema: pa.Schema) -> dict[str, str]:
    whole = engine.from_arrow(schema.empty_table())
    types = zip(whole.columns, whole.types, strict=True)
    return {name: f'CAST(NULL AS {type_}) AS "{name}"' for name, type_ in types}


def _keys(engine: duckdb.DuckDBPyConnection, files: Sequence[str], sql: str, rows: pa.Table | None = None) -> pa.Array:
    if not files:
        return pa.array([], pa.string())
    return _answer(engine, files, sql, rows)["key"].cast(pa.string()).combine_chunks()


def _answer(engine: duckdb.DuckDBPyConnection, files: Sequence[str], sql: str, rows: pa.Table | None) -> pa.Table:
    with engine.cursor() as cursor:
        if rows is not None:
            cursor.register("s", rows)
        try:
            return cursor.sql(f"WITH held AS (SELECT * FROM {parquet(files)}) {sql}").to_arrow_table()
        except duckdb.BinderException:
            if rows is None:
                raise
            held = padded(cursor, files, rows.schema)
            return cursor.sql(f"WITH held AS (SELECT * FROM {held}) {sql}").to_arrow_table()
