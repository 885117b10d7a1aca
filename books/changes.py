"""Whose rows changed from one snapshot to another.

Only the files that the two do not share are read: the rest of a table is the same by construction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
from deltalake.exceptions import DeltaError

from books.comparing import no_rows, parquet
from books.engine import connect
from books.entities import entity
from books.errors import PermanentError
from books.store import Store

# A row that says something new is written with a new `synced_at`. Two writes of one instant are not told apart by it:
# of the rows that are as new as the newest of before, all that they say is compared.
_CHANGED = """
WITH newest AS (SELECT max(synced_at) AS stamp FROM ({before}) t),
changed AS (
    ({stamps} FROM ({after}) t EXCEPT {stamps} FROM ({before}) t)
    UNION ALL ({stamps} FROM ({before}) t EXCEPT {stamps} FROM ({after}) t)
    UNION ALL (
        {content} FROM ({after}) t WHERE synced_at >= (SELECT stamp FROM newest)
        EXCEPT {content} FROM ({before}) t WHERE synced_at >= (SELECT stamp FROM newest)
    )
)
SELECT DISTINCT account_key FROM changed
"""
_STAMPS = "SELECT system, key, account_key, hash(modified_at, synced_at, deleted)"
_CONTENT = "SELECT system, key, account_key, hash(t)"


@dataclass(frozen=True)
class Changes:
    """Of one table: the accounts that had or have a row that changed; `unowned`: rows of no account changed."""

    accounts: frozenset[str] = frozenset()
    unowned: bool = False

    def __bool__(self) -> bool:
        return self.unowned or bool(self.accounts)


def changes(store: Store, before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Changes]:
    """Table to what changed in it between two snapshots' versions; tables in which nothing did are left out.

    Raises PermanentError where the older one cannot be read any more.
    """
    found = {}
    with connect() as engine:
        for name, version in after.items():
            if before.get(name) != version:
                changed = _changes(engine, store, name, before.get(name), version)
                if changed:
                    found[name] = changed
    return found


def _changes(engine: duckdb.DuckDBPyConnection, store: Store, name: str, before: int | None, after: int) -> Changes:
    try:
        new = set(store.files(name, after))
        old = set(store.files(name, before)) if before is not None else set()
        sql = _CHANGED.format(
            before=_rows(engine, name, old - new),
            after=_rows(engine, name, new - old),
            stamps=_STAMPS,
            content=_CONTENT,
        )
        accounts = [account for (account,) in engine.sql(sql).fetchall()]
    except (DeltaError, duckdb.Error, OSError) as error:
        raise PermanentError(f"{name} cannot be compared with how it was at version {before}: {error}") from error
    return Changes(frozenset(account for account in accounts if account is not None), None in accounts)


def _rows(engine: duckdb.DuckDBPyConnection, name: str, files: set[str]) -> str:
    return f"SELECT * EXCLUDE raw FROM {parquet(sorted(files)) if files else no_rows(engine, entity(name).arrow)}"
