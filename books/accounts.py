"""Who owns a row: `account_key`, the customer's key across systems, resolved before a snapshot is published.

The key is the CRM's account id wherever the system's own account names one that the CRM has, or a person has confirmed
that they are one customer (the entity `links`), else `system:id`. A row without an account of its own belongs to its
parent's customer. A row that nobody owns keeps a null, which is what the checks on orphans look for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from books.engine import connect
from books.entities import ENTITIES, Entity
from books.entities.controls import PUBLISHED
from books.reading import Books, literals
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
    """One pass over the tables. It compares with what was published, not with where an earlier pass was cut off."""

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
        self._versions = dict(versions)
        self._known = before.versions if before else {}
        self._identify(books, first=before is None)

    def run(self) -> None:
        for entity in ENTITIES.values():
            if entity.name in PUBLISHED:
                continue
            scope = self._scope(entity)
            if scope is not None:
                self._assign(entity, scope)

    def _identify(self, books: Books, *, first: bool) -> None:
        """The table `identity` as it is now; whether it names accounts that it did not, or says others than before."""
        self._define("identity", _identity(books, self._relation("accounts"), self._relation("links")))
        self._gained = self._shifted = first or "accounts" not in self._known
        if (self._written("accounts") or self._written("links")) and not self._shifted:
            before = self._relation("accounts", before=True), self._relation("links", before=True)
            self._define("identity_before", _identity(books, *before))
            self._gained = self._any("FROM identity EXCEPT FROM identity_before")
            self._shifted = self._any("FROM identity_before EXCEPT FROM identity")

    def _scope(self, entity: Entity) -> str | None:
        """Which rows to look at, as a condition; None for none."""
        if entity.name not in self._versions:
            return None
        if self._shifted:
            return "TRUE"
        table, column = entity.parent or ("", "")
        if self._written(table):
            self._define("reowned", self._reowned(table))
            return f"""(r.account_key IS NULL OR (r.system, r."{column}") IN (FROM reowned))"""
        return "r.account_key IS NULL" if self._gained or self._written(entity.name) else None

    def _reowned(self, table: str) -> str:
        """Rows that are new or have another owner than when a snapshot was published last."""
        columns = "SELECT system, key, account_key"
        now, before = self._relation(table), self._relation(table, before=True)
        return f"SELECT system, key FROM ({columns} FROM ({now}) EXCEPT {columns} FROM ({before}))"

    def _assign(self, entity: Entity, scope: str) -> None:
        changes = self._changes(entity, scope)
        if not changes.num_rows:
            return
        for system in changes["system"].unique().to_pylist():
            of_system = changes.filter(pc.equal(changes["system"], system))
            self._store.assign_accounts(entity.name, system, of_system.select(["key", "account_key"]))
        self._versions[entity.name] = self._store.version(entity.name) or 0

    def _changes(self, entity: Entity, scope: str) -> pa.Table:
        parent, join = self._parent(entity)
        owner = f"COALESCE(i.account_key, CASE WHEN r.account_id IS NULL THEN {parent} END)"
        if entity.name == "usage_events":
            owner = f"COALESCE({owner}, used.account_key)"
            join += (
                " LEFT JOIN identity used ON used.how = 'used' AND used.system = r.system"
                " AND used.id = COALESCE(r.account_id, r.subject)"
            )
        return self._connection.sql(f"""
            SELECT r.system, r.key, {owner} AS account_key
            FROM ({self._relation(entity.name)}) r
            LEFT JOIN {self._matching.sql()} ON matching.system = r.system AND matching.entity = '{entity.name}'
            LEFT JOIN identity i ON i.id = r.account_id AND i.how = COALESCE(matching.how, 'own')
                AND i.system = CASE i.how WHEN 'own' THEN r.system ELSE '' END
            {join}
            WHERE {scope} AND r.account_key IS DISTINCT FROM {owner}
        """).to_arrow_table()

    def _parent(self, entity: Entity) -> tuple[str, str]:
        """What the parent's owner is called, and the join that brings it in."""
        table, column = entity.parent or ("", "")
        if table not in self._versions:
            return "NULL", ""
        rows = self._relation(table)
        return "p.account_key", f'LEFT JOIN ({rows}) p ON p.system = r.system AND p.key = r."{column}"'

    def _written(self, table: str) -> bool:
        """Whether a table was written since the last snapshot, by this pass too."""
        return self._versions.get(table) != self._known.get(table)

    def _relation(self, table: str, *, before: bool = False) -> str:
        """A table's rows, as they are now or as the last snapshot has them."""
        version = (self._known if before else self._versions).get(table)
        found = None if version is None else self._store.relation(table, version)
        if found is None:
            self._connection.register(f"no_{table}", ENTITIES[table].arrow.empty_table())
        return f"SELECT * FROM {found or f'no_{table}'}"

    def _define(self, name: str, sql: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")

    def _any(self, sql: str) -> bool:
        return bool(self._connection.sql(sql).limit(1).fetchall())


def _identity(books: Books, accounts: str, links: str) -> str:
    """identity(system, how, id, account_key); one row per (system, how, id), the system '' where any may name it.

    `used` are the names of a meter that a person has confirmed to be a customer's.
    """
    crm = literals(books.systems("accounts", "crm"))
    billing = literals(books.systems("accounts", "billing"))
    return f"""
        WITH accounts AS ({accounts}),
        customers AS (SELECT DISTINCT key FROM accounts WHERE system IN ({crm})),
        confirmed AS (
            SELECT l.left_system, l.left_entity, l.left_key, min(l.right_key) AS account_key
            FROM ({links}) l SEMI JOIN customers ON customers.key = l.right_key
            WHERE l.basis = 'confirmed' AND NOT l.deleted GROUP BY ALL
        ),
        own AS (
            SELECT a.system, a.key, a.number,
                CASE WHEN a.system IN ({crm}) THEN a.key
                     ELSE COALESCE(c.key, l.account_key, a.system || ':' || a.key) END AS account_key
            FROM accounts a
            LEFT JOIN customers c ON c.key = a.crm_key
            LEFT JOIN confirmed l ON l.left_entity = 'accounts' AND l.left_system = a.system AND l.left_key = a.key
        )
        SELECT system, 'own' AS how, key AS id, account_key FROM own
        UNION ALL SELECT '', 'crm', key, min(account_key) FROM own WHERE system IN ({crm}) GROUP BY key
        UNION ALL SELECT '', 'billing_number', number, min(account_key) FROM own
            WHERE system IN ({billing}) AND number IS NOT NULL GROUP BY number
        UNION ALL SELECT left_system, 'used', left_key, account_key FROM confirmed WHERE left_entity = 'usage_events'
    """
