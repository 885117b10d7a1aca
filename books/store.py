"""The Delta tables of the books: one per entity, partitioned by system, one row per (system, key).

What is written is compared with what is there first: rows that say nothing new cost no write, new keys are
appended, and only rows that changed are merged. Every predicate carries the system as a literal, so that writers of
different systems never meet in one file. Two writers of one system cannot both commit: each commit carries a
transaction of that system (`_Commit`), and the slower one starts over from what the other left.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar
from weakref import finalize

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from books.comparing import changed_columns, changed_keys, known_keys, live_keys, parquet
from books.entities import ENTITIES, Entity, entity
from books.errors import PermanentError, TransientError

COMMIT_ATTEMPTS = 8
# Small enough that a reader who wants a few accounts skips most of a file (design.md, section 5).
ROW_GROUP = 32_768
# A merge holds a row group of the rows that it copies: by default a million of them.
_WRITING = WriterProperties(max_row_group_size=ROW_GROUP)
# Bytes for sorting a partition, most of which then goes through files: it may be larger than the memory.
SORT_MEMORY = 256 * 1024 * 1024
# A partition with this many files is worth rewriting as one.
FILES_TO_CLUSTER = 32
# Files are read once per question, and change with every write: kept in memory, they would grow with the books.
_COMPARING: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "TimeZone": "UTC",
    "enable_external_file_cache": False,
}

R = TypeVar("R")


class Store:
    """The tables under one root: a folder, or an object-store URL (`s3://`, `abfss://`, `gs://`)."""

    def __init__(self, root: str, sort_memory: int = SORT_MEMORY) -> None:
        self._root = root.rstrip("/")
        self._sort_memory = sort_memory

    @cached_property
    def _engine(self) -> duckdb.DuckDBPyConnection:
        """What compares; started once, because starting it takes longer than most questions."""
        engine = duckdb.connect(":memory:", config=_COMPARING)
        finalize(self, engine.close)
        return engine

    def merge(self, name: str, system: str, rows: pa.Table) -> int:
        """Insert or update rows of one system, and return how many were new or said something else.

        `rows` has the entity's schema; of a repeated key the last row wins. A row keeps its `account_key` unless its
        account or its parent changed. Raises TransientError when other writers kept winning, PermanentError for rows
        of another shape.
        """
        if rows.num_rows == 0:
            return 0
        if rows.schema != entity(name).arrow:
            raise PermanentError(f"Rows of another shape were to be written to {name}: {rows.schema.names}.")
        source = last_of_each_key(rows)
        return self._committed(name, lambda: self._merge_once(name, system, source))

    def _merge_once(self, name: str, system: str, source: pa.Table) -> int:
        table = self._open_or_create(name)
        files = _files_of(table, system)
        known = known_keys(self._engine, source, files)
        new = source.filter(pc.invert(_among(source, known)))
        changed = (
            source.filter(_among(source, changed_keys(self._engine, source, files)))
            if len(known)
            else source.slice(0, 0)
        )
        if new.num_rows:
            write_deltalake(table, new, mode="append", commit_properties=_commit(table, system))
        if changed.num_rows:
            merger = table.merge(
                changed,
                _on(system),
                source_alias="s",
                target_alias="t",
                streamed_exec=False,
                writer_properties=_WRITING,
                commit_properties=_commit(table, system),
            )
            merger.when_matched_update(_updates(entity(name))).execute()
        return int(new.num_rows + changed.num_rows)

    def assign_accounts(self, name: str, system: str, keys: pa.Table) -> None:
        """Set `account_key` of the rows named in `keys` (columns key, account_key)."""
        self._update(name, system, keys, {"account_key": "s.account_key"})

    def bury(self, name: str, system: str, keys: Iterable[str], at: datetime) -> int:
        """Turn the live rows with these keys into tombstones, and return how many there were."""
        wanted = pa.array(sorted(set(keys)), pa.string())
        if len(wanted) == 0 or self.version(name) is None:
            return 0
        found = self.live(name, system, wanted)
        if len(found):
            stamp = f"CAST('{at.isoformat()}' AS TIMESTAMP)"
            self._update(name, system, pa.table({"key": found}), {"deleted": "true", "synced_at": stamp})
        return len(found)

    def replace(self, name: str, system: str, rows: pa.Table, at: datetime, beginning: str = "") -> None:
        """Make these rows the live ones of one system, of those whose keys begin so; the others become tombstones."""
        self.merge(name, system, rows)
        held = {key for key in self.live(name, system).to_pylist() if key.startswith(beginning)}
        self.bury(name, system, held.difference(rows["key"].to_pylist()), at)

    def live(self, name: str, system: str, among: pa.Array | None = None) -> pa.Array:
        """The keys of live rows of one system: all, or those among the given ones."""
        table = self._opened(name)
        return pa.array([], pa.string()) if table is None else live_keys(self._engine, _files_of(table, system), among)

    def differences(self, name: str, system: str, rows: pa.Table) -> dict[str, int]:
        """How many live rows of one system differ from these, by column; "" counts the rows themselves."""
        table = self._opened(name)
        source = last_of_each_key(rows)
        return {} if table is None else changed_columns(self._engine, source, _files_of(table, system))

    def _update(self, name: str, system: str, keys: pa.Table, updates: Mapping[str, str]) -> None:
        def once() -> None:
            table = self._open_or_create(name)
            table.merge(
                keys,
                _on(system),
                source_alias="s",
                target_alias="t",
                streamed_exec=False,
                writer_properties=_WRITING,
                commit_properties=_commit(table, system),
            ).when_matched_update(dict(updates)).execute()

        self._committed(name, once)

    def _committed(self, name: str, write: Callable[[], R]) -> R:
        """Run a write, again where another writer was faster. Raises TransientError, PermanentError."""
        for attempt in _commit_attempts():
            with attempt:
                try:
                    return write()
                except CommitFailedError as error:
                    raise TransientError(
                        f"Another writer committed to {name} first; the rows were not written."
                    ) from error
                except DeltaError as error:
                    raise PermanentError(f"The table {name} could not be written: {error}") from error
        raise AssertionError("the last attempt raises")

    def version(self, name: str) -> int | None:
        """The newest version of an entity's table; None where nothing was ever written."""
        table = self._opened(name)
        return None if table is None else table.version()

    def versions(self) -> dict[str, int]:
        """The newest version of every table that exists."""
        found = {name: self.version(name) for name in ENTITIES}
        return {name: version for name, version in found.items() if version is not None}

    def files(self, name: str, version: int) -> list[str]:
        """The Parquet files of one version, for an engine that reads them itself."""
        return DeltaTable(self._path(name), version=version).file_uris()

    def relation(self, name: str, version: int) -> str | None:
        """What stands after FROM to read one version with DuckDB; None where it holds no row."""
        files = self.files(name, version)
        return parquet(files) if files else None

    def cluster(self, name: str) -> bool:
        """Rewrite the partitions that have many files as few, sorted by account. Returns whether there was one."""
        table = self._opened(name)
        if table is None:
            return False
        crowded = [p["system"] for p in table.partitions() if len(_files_of(table, p["system"])) >= FILES_TO_CLUSTER]
        for system in crowded:
            self._committed(name, partial(self._cluster_once, name, system))
        return bool(crowded)

    def _cluster_once(self, name: str, system: str) -> None:
        """Sorted by account; what is too large for the memory that sorting has becomes large files at least."""
        of_system: list[tuple[str, str, str]] = [("system", "=", system)]
        table = DeltaTable(self._path(name))
        try:
            table.optimize.z_order(
                ["account_key"],
                partition_filters=of_system,
                max_concurrent_tasks=1,
                max_spill_size=self._sort_memory,
                writer_properties=_WRITING,
                commit_properties=_commit(table, system),
            )
        except DeltaError as error:
            if "Resources exhausted" not in str(error):
                raise
            table.optimize.compact(
                partition_filters=of_system,
                max_concurrent_tasks=1,
                writer_properties=_WRITING,
                commit_properties=_commit(table, system),
            )

    def forget(self, name: str, older_than_hours: int, keep: Iterable[int]) -> int:
        """Delete files that no version younger than that needs, nor any version in `keep`; returns how many."""
        if self.version(name) is None:
            return 0
        return len(
            DeltaTable(self._path(name)).vacuum(
                older_than_hours, dry_run=False, enforce_retention_duration=False, keep_versions=sorted(set(keep))
            )
        )

    def _path(self, name: str) -> str:
        return f"{self._root}/{entity(name).name}"

    def _open_or_create(self, name: str) -> DeltaTable:
        """The table with every column that the entity has: one that an earlier version made gets those that are new."""
        path, schema = self._path(name), entity(name).arrow
        table = self._opened(name)
        if table is None:
            if "://" not in path:
                Path(path).mkdir(parents=True, exist_ok=True)
            return DeltaTable.create(path, schema, mode="ignore", partition_by=["system"])
        held = {field.name for field in table.schema().fields}
        new = [field for field in Schema.from_arrow(schema).fields if field.name not in held]
        if new:
            table.alter.add_columns(new)
        return table

    def _opened(self, name: str) -> DeltaTable | None:
        """The table; None where nothing was ever written. Raises PermanentError for what is no table."""
        try:
            return DeltaTable(self._path(name))
        except TableNotFoundError:
            return None
        except DeltaError as error:
            raise PermanentError(f"The table {name} cannot be opened: {error}") from error


def last_of_each_key(rows: pa.Table) -> pa.Table:
    """The last row of every key, in the order in which those last rows stand."""
    position = pa.array(range(rows.num_rows), pa.int64())
    last = pa.table({"key": rows["key"], "position": position}).group_by("key").aggregate([("position", "max")])
    return rows.take(last["position_max"].combine_chunks().sort())


def table_from(name: str, rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Rows as an Arrow table with the entity's schema; missing columns are null."""
    return pa.Table.from_pylist([dict(row) for row in rows], entity(name).arrow)


def _files_of(table: DeltaTable, system: str) -> list[str]:
    return table.file_uris(file_pruning_predicate=[("system", "=", system)])


def _among(rows: pa.Table, keys: pa.Array) -> pa.ChunkedArray:
    return pc.is_in(rows["key"], value_set=keys)


def _on(system: str) -> str:
    literal = system.replace("'", "''")
    return f"t.system = '{literal}' AND t.key = s.key"


def _commit(table: DeltaTable, system: str) -> CommitProperties:
    """A commit that fails when another writer of the same system commits in between: an append alone would not."""
    name = f"tieout:{system}"
    return CommitProperties(app_transactions=[Transaction(name, (table.transaction_version(name) or 0) + 1)])


def _updates(of: Entity) -> dict[str, str]:
    """Every column from the new row; the owner stays while what it was found by stays."""
    found_by = ["account_id", *([of.parent[1]] if of.parent else [])]
    same = " AND ".join(f"(s.{column} IS NOT DISTINCT FROM t.{column})" for column in found_by)
    updates = {column.name: f"s.{column.name}" for column in of.columns}
    return updates | {"account_key": f"CASE WHEN {same} THEN t.account_key END"}


def _commit_attempts() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(COMMIT_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
