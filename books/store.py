"""The Delta tables of the books: one per entity, partitioned by system, written by MERGE on (system, key).

Every predicate carries the system as a literal, so that writers of different systems never meet in one file
and the statistics prune. Writing the same rows again changes nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from books.entities import ENTITIES, entity
from books.errors import PermanentError, TransientError

COMMIT_ATTEMPTS = 8
# A row that says the same as before is not rewritten: a look-back re-reads many such rows at every poll.
_CHANGED = (
    "(s.raw IS DISTINCT FROM t.raw) OR (s.deleted IS DISTINCT FROM t.deleted)"
    " OR (s.modified_at IS DISTINCT FROM t.modified_at)"
)


class Store:
    """The tables under one root: a folder, or an object-store URL (`s3://`, `abfss://`, `gs://`)."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def merge(self, name: str, system: str, rows: pa.Table, *, rewrite: bool = False) -> None:
        """Insert or update rows of one system; `rows` has the entity's schema, and of a repeated key the last wins.

        `rewrite` also rewrites rows whose source record did not change, as a changed mapping needs.
        Raises TransientError when other writers kept winning, PermanentError for rows of another shape.
        """
        if rows.num_rows == 0:
            return
        if rows.schema != entity(name).arrow:
            raise PermanentError(f"Rows of another shape were to be written to {name}: {rows.schema.names}.")
        source = last_of_each_key(rows)
        for attempt in _commit_attempts():
            with attempt:
                self._merge_once(name, system, source, rewrite)

    def _merge_once(self, name: str, system: str, source: pa.Table, rewrite: bool) -> None:
        try:
            (
                self._open_or_create(name)
                .merge(source, _on(system), source_alias="s", target_alias="t", streamed_exec=False)
                .when_matched_update_all(None if rewrite else _CHANGED)
                .when_not_matched_insert_all()
                .execute()
            )
        except CommitFailedError as error:
            raise TransientError(f"Another writer committed to {name} first; the rows were not written.") from error
        except DeltaError as error:
            raise PermanentError(f"The table {name} refused {source.num_rows} rows of {system}: {error}") from error

    def assign_accounts(self, name: str, system: str, keys: pa.Table) -> None:
        """Set `account_key` of the rows named in `keys` (columns key, account_key)."""
        for attempt in _commit_attempts():
            with attempt:
                try:
                    (
                        self._open_or_create(name)
                        .merge(keys, _on(system), source_alias="s", target_alias="t", streamed_exec=False)
                        .when_matched_update({"account_key": "s.account_key"})
                        .execute()
                    )
                except CommitFailedError as error:
                    raise TransientError(f"Another writer committed to {name} first.") from error

    def bury(self, name: str, system: str, keys: Iterable[str], at: datetime) -> None:
        """Turn the rows with these keys into tombstones; keys that the books do not hold are ignored."""
        source = pa.table({"key": pa.array(sorted(set(keys)), pa.string())})
        if source.num_rows == 0 or self.version(name) is None:
            return
        stamp = f"CAST('{at.isoformat()}' AS TIMESTAMP)"
        for attempt in _commit_attempts():
            with attempt:
                try:
                    (
                        self._open_or_create(name)
                        .merge(source, _on(system), source_alias="s", target_alias="t", streamed_exec=False)
                        .when_matched_update({"deleted": "true", "synced_at": stamp}, predicate="t.deleted = false")
                        .execute()
                    )
                except CommitFailedError as error:
                    raise TransientError(f"Another writer committed to {name} first.") from error

    def version(self, name: str) -> int | None:
        """The newest version of an entity's table; None where nothing was ever written."""
        try:
            return DeltaTable(self._path(name)).version()
        except TableNotFoundError:
            return None

    def versions(self) -> dict[str, int]:
        """The newest version of every table that exists."""
        found = {name: self.version(name) for name in ENTITIES}
        return {name: version for name, version in found.items() if version is not None}

    def files(self, name: str, version: int) -> list[str]:
        """The Parquet files of one version, for an engine that reads them itself."""
        return DeltaTable(self._path(name), version=version).file_uris()

    def _path(self, name: str) -> str:
        return f"{self._root}/{entity(name).name}"

    def _open_or_create(self, name: str) -> DeltaTable:
        path = self._path(name)
        try:
            return DeltaTable(path)
        except TableNotFoundError:
            if "://" not in path:
                Path(path).mkdir(parents=True, exist_ok=True)
            return DeltaTable.create(path, entity(name).arrow, mode="ignore", partition_by=["system"])


def last_of_each_key(rows: pa.Table) -> pa.Table:
    """The last row of every key, in the order in which those last rows stand."""
    position = pa.array(range(rows.num_rows), pa.int64())
    last = pa.table({"key": rows["key"], "position": position}).group_by("key").aggregate([("position", "max")])
    return rows.take(last["position_max"].combine_chunks().sort())


def table_from(name: str, rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Rows as an Arrow table with the entity's schema; missing columns are null."""
    return pa.Table.from_pylist([dict(row) for row in rows], entity(name).arrow)


def _on(system: str) -> str:
    literal = system.replace("'", "''")
    return f"t.system = '{literal}' AND t.key = s.key"


def _commit_attempts() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(COMMIT_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
