"""Who owns a row: `account_key`, the customer's key across systems, resolved before a snapshot is published.

The key is the CRM's account id wherever the system's own account names one that the CRM has, else
`system:id`. A row without an account of its own belongs to its parent's customer. A row that nobody owns
keeps a null, which is what the checks on orphans look for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from books.engine import Engine
from books.entities import ENTITIES, Entity
from books.reading import Books
from books.snapshots import Snapshot
from books.store import Store

# How a row's account_id is matched: the id of an account of the same system, the CRM's id, or the number
# by which the billing platform calls the account.
MATCHES = ("own", "crm", "billing_number")
_NEVER = datetime.min.replace(tzinfo=UTC)


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

    Only tables that were written since the snapshot `before` are looked at, and of these only the rows without
    an owner, unless accounts changed: then every row is looked at, because a link may have moved.
    """
    known = before.versions if before else {}
    moved: set[str] = {"accounts"} if store.version("accounts") != known.get("accounts") else set()
    for entity in ENTITIES.values():
        version = store.version(entity.name)
        if version is None:
            continue
        everything = "accounts" in moved or (entity.parent is not None and entity.parent[0] in moved)
        if not everything and version == known.get(entity.name):
            continue
        if _assign(store, books, matching, entity, everything):
            moved.add(entity.name)


def _assign(store: Store, books: Books, matching: Matching, entity: Entity, everything: bool) -> bool:
    changes = _changes(store, books, matching, entity, everything)
    for system in sorted(set(changes["system"].to_pylist())):
        of_system = changes.filter(pc.equal(changes["system"], system))
        store.assign_accounts(entity.name, system, of_system.select(["key", "account_key"]))
    return bool(changes.num_rows)


def _changes(store: Store, books: Books, matching: Matching, entity: Entity, everything: bool) -> pa.Table:
    snapshot = Snapshot("", _NEVER, store.versions(), {})
    with Engine.over(store, snapshot) as engine:
        engine.connection.execute(f"CREATE TEMP TABLE identity AS {_identity(books)}")
        parent = ("NULL", "")
        if entity.parent is not None:
            table, column = entity.parent
            parent = ("p.account_key", f'LEFT JOIN "{table}" p ON p.system = r.system AND p.key = r."{column}"')
        owner = f"COALESCE(i.account_key, CASE WHEN r.account_id IS NULL THEN {parent[0]} END)"
        return engine.arrow(f"""
            SELECT r.system, r.key, {owner} AS account_key
            FROM "{entity.name}" r
            LEFT JOIN {matching.sql()} ON matching.system = r.system AND matching.entity = '{entity.name}'
            LEFT JOIN identity i ON i.id = r.account_id AND i.how = COALESCE(matching.how, 'own')
                AND (i.system = r.system OR i.how <> 'own')
            {parent[1]}
            WHERE {"TRUE" if everything else "r.account_key IS NULL"} AND r.account_key IS DISTINCT FROM {owner}
        """)


def _identity(books: Books) -> str:
    """identity(system, how, id, account_key); one row per (system, how, id)."""
    crm = _listed(books.systems("accounts", "crm"))
    billing = _listed(books.systems("accounts", "billing"))
    own = f"""
        SELECT a.system, a.key, a.number,
            CASE WHEN a.system IN ({crm}) THEN a.key
                 ELSE COALESCE(c.key, a.system || ':' || a.key) END AS account_key
        FROM accounts a LEFT JOIN (SELECT DISTINCT key FROM accounts WHERE system IN ({crm})) c ON c.key = a.crm_key
    """
    return f"""
        WITH own AS ({own})
        SELECT system, 'own' AS how, key AS id, account_key FROM own
        UNION ALL SELECT '', 'crm', key, min(account_key) FROM own WHERE system IN ({crm}) GROUP BY key
        UNION ALL SELECT '', 'billing_number', number, min(account_key) FROM own
            WHERE system IN ({billing}) AND number IS NOT NULL GROUP BY number
    """


def _listed(systems: tuple[str, ...]) -> str:
    return ", ".join("'" + system.replace("'", "''") + "'" for system in systems) or "NULL"
