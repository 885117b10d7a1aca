"""What the gate holds of the books in memory: the tables of one published snapshot, for all requests.

They lie in DuckDB under the schema `truth`, each with a view of its plain name over it. `overlay` puts a request's
own tables in front of those views, so that the same compiled SQL serves the sweep and the gate.
"""

from typing import Self

import duckdb

from books.engine import Engine
from books.entities import ENTITIES
from books.snapshots import Snapshot
from books.store import Store
from checks.contract import Need
from checks.ruleset import Ruleset

# What the gate itself looks into, whatever the checks read.
OWN = ("accounts", "contracts", "subscriptions", "subscription_lines", "billing_schedules", "invoices", "invoice_lines")
_CURRENCIES = """
    SELECT currency FROM accounts UNION SELECT currency FROM contracts
    UNION SELECT from_currency FROM fx_rates UNION SELECT to_currency FROM fx_rates
"""


class Truth:
    """The books of one snapshot. Safe for several threads: each request has a cursor of its own.

    `owned` are the tables in memory that hold rows of customers; `empty` the needs of checks that must not be empty
    and are; `currencies` those that an account, a contract or an exchange rate knows.
    """

    def __init__(self, snapshot: Snapshot, connection: duckdb.DuckDBPyConnection, ruleset: Ruleset) -> None:
        self.snapshot = snapshot
        self._connection = connection
        engine = Engine(connection)
        held = [
            row["table_name"]
            for row in engine.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'truth'")
        ]
        self.owned = frozenset(name for name in held if _has_owners(engine, name))
        self.empty: frozenset[Need] = ruleset.empty_needs(engine)
        self.currencies = frozenset(row["currency"] for row in engine.rows(_CURRENCIES))

    @classmethod
    def load(cls, store: Store, snapshot: Snapshot, ruleset: Ruleset) -> Self:
        """Read the tables that the gate and its checks need; any other stays in its files and is read when asked."""
        engine = Engine.over(store, snapshot)
        asked = {need.entity for rule in ruleset.rules.values() for need in rule.check.needs}
        engine.connection.execute("CREATE SCHEMA truth")
        engine.connection.execute("CREATE TABLE main.sources AS FROM temp.sources")
        for name in ENTITIES:
            if name in (*asked, *OWN, "fx_rates") or name not in snapshot.versions:
                _hold(engine.connection, name)
        return cls(snapshot, engine.connection, ruleset)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same tables. What is made TEMP on it, nobody else sees."""
        return self._connection.cursor()


def _hold(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Read a table into memory, ordered by customer so that a few customers' rows are found in few places.

    `raw` is left out, which no check reads.
    """
    connection.execute(
        f'CREATE TABLE truth."{name}" AS SELECT * REPLACE (NULL::VARCHAR AS raw) FROM "{name}" ORDER BY account_key'
    )
    connection.execute(f'CREATE OR REPLACE VIEW main."{name}" AS FROM truth."{name}"')


def _has_owners(engine: Engine, name: str) -> bool:
    return bool(engine.rows(f'SELECT 1 FROM truth."{name}" WHERE account_key IS NOT NULL LIMIT 1'))
