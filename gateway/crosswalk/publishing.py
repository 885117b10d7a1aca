"""The crosswalk of a sync: decisions go into the books before owners are resolved, proposals are made after it.

The table `links` of the books holds what PostgreSQL holds, and the links that a field declares besides. Proposals are
worked out anew where accounts or usage were written since the last snapshot; declared links where accounts were.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from sqlalchemy import select

from books.engine import connect
from books.entities import ENTITIES
from books.reading import Books, literals
from books.snapshots import OWN as SYSTEM
from books.store import Store, table_from
from gateway.crosswalk.links import propose
from gateway.crosswalk.tables import REFERENCE, Link
from gateway.db.session import Database

if TYPE_CHECKING:
    from gateway.crosswalk.matching import Match

ENTITY = "links"
# How the keys of declared links begin; the others are references.
_DECLARED_KEY = "declared/"
_ROLES = ("billing", "erp")  # whose accounts want a customer

_LONE_ACCOUNTS = """
    SELECT system, 'accounts' AS entity, key, coalesce(name, '') AS name, coalesce(number, '') AS number FROM accounts
    WHERE NOT deleted AND system IN ({systems}) AND account_key = system || ':' || key AND NOT coalesce(is_test, false)
    ORDER BY ALL
"""
_LONE_USAGE = """
    SELECT DISTINCT system, 'usage_events' AS entity, coalesce(account_id, subject) AS key, key AS name, key AS number
    FROM (SELECT system, account_id, subject, coalesce(account_id, subject) AS key FROM usage_events
          WHERE NOT deleted AND account_key IS NULL AND NOT coalesce(is_test, false))
    WHERE key IS NOT NULL ORDER BY ALL
"""
# A customer stands there under the names and numbers of all systems that it is joined to.
_CUSTOMERS = """
    SELECT c.system, 'accounts' AS entity, c.key, coalesce(a.name, '') AS name, coalesce(a.number, '') AS number
    FROM accounts c JOIN accounts a ON a.account_key = c.key AND NOT a.deleted
    WHERE NOT c.deleted AND c.system IN ({crm}) AND NOT coalesce(c.is_test, false)
    GROUP BY ALL ORDER BY ALL
"""
_DECLARED = """
    SELECT a.system AS left_system, a.key AS left_key, c.system AS right_system, c.key AS right_key,
           a.modified_at AS modified_at
    FROM accounts a JOIN accounts c ON c.key = a.crm_key AND c.system IN ({crm}) AND NOT c.deleted
    WHERE NOT a.deleted AND a.system NOT IN ({crm})
"""


class Crosswalk:
    """`propose_from`: the lowest score of a proposal."""

    def __init__(self, database: Database, clock: Callable[[], datetime], propose_from: Decimal) -> None:
        self._database = database
        self._clock = clock
        self._propose_from = propose_from

    def write_decisions(self, store: Store) -> None:
        """Bring the books' links up to what people have decided."""
        with self._database.session() as session:
            links = list(session.scalars(select(Link).order_by(Link.id)))
        rows = table_from(ENTITY, (_row(link) for link in links))
        store.replace(ENTITY, SYSTEM, rows, self._clock(), beginning=REFERENCE)

    def propose(self, store: Store, books: Books, before: Mapping[str, int]) -> None:
        """Look for proposals among what is resolved now. `before`: the versions of the last snapshot."""
        now = store.versions()
        written = {name for name in ("accounts", "usage_events", ENTITY) if now.get(name) != before.get(name)}
        if not written:
            return
        if "accounts" in written:
            declare(store, books, self._clock())
        found = look_alike(store, books, self._propose_from)
        with self._database.session() as session:
            propose(session, found, self._clock())
        self.write_decisions(store)


def declare(store: Store, books: Books, now: datetime) -> None:
    """Write the links that accounts of other systems declare by a field, and bury those that they do not any more."""
    crm = literals(books.systems("accounts", "crm"))
    with _resolved(store) as connection:
        found = connection.sql(_DECLARED.format(crm=crm)).to_arrow_table().to_pylist()
    rows = [
        {
            **row,
            "key": f"{_DECLARED_KEY}{row['left_system']}/{row['left_key']}",
            "system": SYSTEM,
            "left_entity": "accounts",
            "basis": "declared",
            "account_id": row["right_key"],
            "account_key": row["right_key"],
            "synced_at": now,
            "deleted": False,
            "raw": "{}",
        }
        for row in found
    ]
    store.replace(ENTITY, SYSTEM, table_from(ENTITY, rows), now, beginning=_DECLARED_KEY)


def look_alike(store: Store, books: Books, propose_from: Decimal) -> "list[Match]":
    """The customers to whom accounts and usage without one may belong, as far as the tables are resolved now."""
    # Only a sync compares names: no other command waits for the library.
    from gateway.crosswalk.matching import Party, matches

    systems = literals(system for role in _ROLES for system in books.systems("accounts", role))
    crm = literals(books.systems("accounts", "crm"))
    with _resolved(store) as connection:

        def parties(sql: str) -> list[Party]:
            return [Party(*row) for row in connection.sql(sql).fetchall()]

        lone = [*parties(_LONE_ACCOUNTS.format(systems=systems)), *parties(_LONE_USAGE)]
        customers = parties(_CUSTOMERS.format(crm=crm)) if lone else []
    return matches(lone, customers, propose_from)


@contextmanager
def _resolved(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Accounts and usage as they stand in the tables."""
    now = store.versions()
    with connect() as connection:
        for name in ("accounts", "usage_events"):
            _view(connection, store, name, now.get(name))
        yield connection


def _row(link: Link) -> dict[str, object]:
    columns = ("left_system", "left_entity", "left_key", "right_system", "right_key", "basis", "score", "reason")
    return {
        **{name: getattr(link, name) for name in (*columns, "proposed_at", "decided_at", "decided_by")},
        "system": SYSTEM,
        "key": link.reference,
        "account_id": link.right_key,
        "account_key": link.right_key,
        "modified_at": link.decided_at or link.proposed_at,
        "synced_at": link.decided_at or link.proposed_at,
        "deleted": False,
        "raw": "{}",
    }


def _view(connection: duckdb.DuckDBPyConnection, store: Store, name: str, version: int | None) -> None:
    relation = None if version is None else store.relation(name, version)
    if relation is None:
        empty: pa.Table = ENTITIES[name].arrow.empty_table()
        connection.register(name, empty)
    else:
        connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM {relation}')
