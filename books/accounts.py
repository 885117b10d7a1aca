"""Who owns a row: `account_key`, the customer's key across systems, resolved before a snapshot is published.

The key is the CRM's account id wherever the system's own account names one that the CRM has, else
`system:id`. A row without an account of its own belongs to its parent's customer. A row that nobody owns
keeps a null, which is what the checks on orphans look for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from books.engine import connect
from books.entities import ENTITIES, Entity
from books.reading import Books
from books.snapshots import Snapshot
from books.store import Store

# How a row's account_id is matched: the id of an account of the same system, the CRM's id, or the number
# by which the billing platform calls the account.
MATCHES = ("own", "crm", "billing_number")


@dataclass(frozen=True)
class Matching:
    """How rows of each (system, entity) name their account; what is not listed is `own`."""

    how: Mapping[tuple[str, str], str]

    def sql(self) -> str:
        """The table matching(system, entity, how) as VALUES, never empty."""
        rows = [f"('{s}', '{e}', '{how}')" for (s, e), how in sorted(self.how.items())] or ["('', '', '')"]
        return f"(VALUES {', '.join(rows)}) AS matching(system, entity, how)"


def resolve(store: Store, books: Books, matching: Matching, before: Snapshot | None) -> None:
    """Bring `account_key` of every table up to date, parents before children.

    `before` is the snapshot that was resolved last, by the same roles and the same matching; None looks at every row.
    A table is looked at as a whole only where an account that it may name has moved to another customer; else only
    its rows without an owner are, and not even those where neither the table nor what it names was written since.
    """
    versions = store.versions()
    if "accounts" in versions:
        with connect() as connection:
            _Resolution(store, books, matching, connection, versions, before).run()


class _Resolution:
    """One pass over the tables. Knows which tables got owners on the way, and which rows changed theirs."""

    def __init__(
        self,
        store: Store,
        books: Books,
        matching: Matching,
        connection: duckdb.DuckDBPyConnection,
        versions: Mapping[str, int],
        before: Snapshot | None,
    ) -> None:
        self._store = store
        self._matching = matching
        self._connection = connection
        self._versions = versions
        self._known = before.versions if before else {}
        self._assigned: set[str] = set()
        self._moved: set[str] = set()
        self._identify(books, first=before is None)

    def run(self) -> None:
        for entity in ENTITIES.values():
            scope = self._scope(entity)
            if scope is not None:
                self._assign(entity, scope)

    def _identify(self, books: Books, *, first: bool) -> None:
        """The table `identity` as it is now, and whether it says new things or other things than before."""
        self._define("identity", _identity(books, self._relation("accounts", self._versions["accounts"])))
        self._gained, self._shifted = True, first or "accounts" not in self._known
        if self._known.get("accounts") == self._versions["accounts"]:
            self._gained = False
        elif not self._shifted:
            self._define("before", _identity(books, self._relation("accounts", self._known["accounts"])))
            self._shifted = bool(self._number("SELECT count(*) FROM (FROM before EXCEPT FROM identity)"))

    def _scope(self, entity: Entity) -> str | None:
        """Which rows to look at, as a condition; None for none."""
        if entity.name not in self._versions:
            return None
        parent = entity.parent[0] if entity.parent else None
        if self._shifted or parent in self._moved:
            return "TRUE"
        written = self._versions[entity.name] != self._known.get(entity.name)
        return "r.account_key IS NULL" if written or self._gained or parent in self._assigned else None

    def _assign(self, entity: Entity, scope: str) -> None:
        changes = self._changes(entity, scope)
        if not changes.num_rows:
            return
        for system in changes["system"].unique().to_pylist():
            of_system = changes.filter(pc.equal(changes["system"], system))
            self._store.assign_accounts(entity.name, system, of_system.select(["key", "account_key"]))
        self._assigned.add(entity.name)
        if changes["owned_before"].null_count < changes.num_rows:
            self._moved.add(entity.name)

    def _changes(self, entity: Entity, scope: str) -> pa.Table:
        parent, join = self._parent(entity)
        owner = f"COALESCE(i.account_key, CASE WHEN r.account_id IS NULL THEN {parent} END)"
        return self._connection.sql(f"""
            SELECT r.system, r.key, {owner} AS account_key, r.account_key AS owned_before
            FROM ({self._relation(entity.name, self._versions[entity.name])}) r
            LEFT JOIN {self._matching.sql()} ON matching.system = r.system AND matching.entity = '{entity.name}'
            LEFT JOIN identity i ON i.id = r.account_id AND i.how = COALESCE(matching.how, 'own')
                AND i.system = CASE i.how WHEN 'own' THEN r.system ELSE '' END
            {join}
            WHERE {scope} AND r.account_key IS DISTINCT FROM {owner}
        """).to_arrow_table()

    def _parent(self, entity: Entity) -> tuple[str, str]:
        """What the parent's owner is called, and the join that brings it in, at the version written last."""
        table, column = entity.parent or ("", "")
        version = self._store.version(table) if table else None
        if version is None:
            return "NULL", ""
        rows = self._relation(table, version)
        return "p.account_key", f'LEFT JOIN ({rows}) p ON p.system = r.system AND p.key = r."{column}"'

    def _relation(self, entity: str, version: int) -> str:
        found = self._store.relation(entity, version)
        return f"SELECT * FROM {found}" if found else f"SELECT * FROM {self._empty(entity)}"

    def _empty(self, entity: str) -> str:
        self._connection.register(f"no_{entity}", ENTITIES[entity].arrow.empty_table())
        return f"no_{entity}"

    def _define(self, name: str, sql: str) -> None:
        self._connection.execute(f"CREATE TEMP TABLE {name} AS {sql}")

    def _number(self, sql: str) -> int:
        row = self._connection.sql(sql).fetchone()
        return int(row[0]) if row else 0


def _identity(books: Books, accounts: str) -> str:
    """identity(system, how, id, account_key); one row per (system, how, id), the system '' where any may name it."""
    crm = _listed(books.systems("accounts", "crm"))
    billing = _listed(books.systems("accounts", "billing"))
    return f"""
        WITH accounts AS ({accounts}),
        own AS (
            SELECT a.system, a.key, a.number,
                CASE WHEN a.system IN ({crm}) THEN a.key
                     ELSE COALESCE(c.key, a.system || ':' || a.key) END AS account_key
            FROM accounts a
            LEFT JOIN (SELECT DISTINCT key FROM accounts WHERE system IN ({crm})) c ON c.key = a.crm_key
        )
        SELECT system, 'own' AS how, key AS id, account_key FROM own
        UNION ALL SELECT '', 'crm', key, min(account_key) FROM own WHERE system IN ({crm}) GROUP BY key
        UNION ALL SELECT '', 'billing_number', number, min(account_key) FROM own
            WHERE system IN ({billing}) AND number IS NOT NULL GROUP BY number
    """


def _listed(systems: tuple[str, ...]) -> str:
    return ", ".join("'" + system.replace("'", "''") + "'" for system in systems) or "NULL"
