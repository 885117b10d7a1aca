"""The books as one request sees them: its drafts in front of the stored ones, the rest narrowed down to its customers.

Everything that is made here is TEMP on the request's own cursor, and gone when the cursor is closed.
"""

from collections.abc import Collection

import duckdb

from books.engine import Engine, Request
from gateway.prebill.drafts import Drafts
from gateway.prebill.truth import Truth

_OVERLAID = {"invoices": "key", "invoice_lines": "invoice_key"}
# Where the ids of drafts are looked up, among the rows of the customers that the drafts are for.
_LOOKED_UP = ("subscriptions", "subscription_lines", "billing_schedules")

# The customer of each draft: by the id of the account, else by its number where that is only one customer's.
_INVOICES = """
    WITH numbered AS (
        SELECT number, min(account_key) AS account_key FROM truth.accounts
        WHERE system = $system AND NOT deleted AND number IN (SELECT account_id FROM said_invoices)
        GROUP BY number HAVING count(DISTINCT account_key) = 1
    )
    SELECT i.* REPLACE (coalesce(a.account_key, n.account_key) AS account_key) FROM said_invoices i
    LEFT JOIN truth.accounts a ON a.system = $system AND a.key = i.account_id AND NOT a.deleted
    LEFT JOIN numbered n ON n.number = i.account_id
"""
# What each line bills: an id comes before a number, a subscription line before one of its schedule rows.
_LINES = """
    WITH asked AS (
        SELECT DISTINCT subscription_line_key AS id FROM said_invoice_lines WHERE subscription_line_key IS NOT NULL
    ), found AS (
        SELECT key AS id, key AS line, NULL AS version, 1 AS rank FROM subscription_lines
            WHERE system = $system AND NOT deleted AND key IN (SELECT id FROM asked)
        UNION ALL SELECT number, key, NULL, 2 FROM subscription_lines
            WHERE system = $system AND NOT deleted AND number IN (SELECT id FROM asked)
        UNION ALL SELECT key, subscription_line_key, key, 3 FROM billing_schedules
            WHERE system = $system AND NOT deleted AND key IN (SELECT id FROM asked)
    ), charges AS (
        SELECT * FROM found QUALIFY row_number() OVER (PARTITION BY id ORDER BY rank, line) = 1
    ), numbered AS (
        SELECT number, key FROM subscriptions
        WHERE system = $system AND NOT deleted AND number IN (SELECT subscription_key FROM said_invoice_lines)
        QUALIFY row_number() OVER (PARTITION BY number ORDER BY version DESC NULLS LAST, key) = 1
    )
    SELECT l.* REPLACE (
        i.account_key AS account_key,
        coalesce(s.key, l.subscription_key) AS subscription_key,
        coalesce(c.line, l.subscription_line_key) AS subscription_line_key,
        coalesce(l.line_version_key, c.version) AS line_version_key)
    FROM said_invoice_lines l JOIN drafted_invoices i ON i.key = l.invoice_key
    LEFT JOIN numbered s ON s.number = l.subscription_key
    LEFT JOIN charges c ON c.id = l.subscription_line_key
"""
# Stored drafts that the request's stand for: of the same run, with the same id or with the same number.
_REPLACED = """
    SELECT system, key FROM truth.invoices WHERE system = $system AND status = 'draft' AND (
        list_contains($runs, run_key)
        OR key IN (SELECT key FROM said_invoices) OR number IN (SELECT number FROM said_invoices))
"""
# Drafts that the books hold as posted, by id or by number.
_POSTED = """
    SELECT i.key FROM said_invoices i JOIN truth.invoices t ON t.system = i.system AND t.key = i.key
    WHERE t.status = 'posted' AND NOT t.deleted
    UNION ALL SELECT i.key FROM said_invoices i JOIN truth.invoices t ON t.system = i.system AND t.number = i.number
    WHERE t.status = 'posted' AND NOT t.deleted
"""
# Customers whom only other runs of the platform bill: all their accounts there are in other batches.
_ELSEWHERE = """
    SELECT account_key FROM truth.accounts WHERE system = $system AND NOT deleted
    AND account_key IS NOT NULL AND account_key NOT IN (SELECT account_key FROM scope)
    GROUP BY account_key HAVING bool_and(coalesce(NOT list_contains($batches, batch), false))
"""
_IN_SCOPE = "(t.account_key IS NULL OR t.account_key IN (SELECT account_key FROM scope))"


class Overlay:
    """One request's view of the books: `narrow` and ask, then `widen` where something is to be asked of all books.

    The engine also holds the drafts as they were said: `said_invoices` and `said_invoice_lines`.
    """

    def __init__(self, truth: Truth, cursor: duckdb.DuckDBPyConnection, drafts: Drafts, request: Request) -> None:
        self.engine = Engine(cursor)
        self._owned = truth.owned
        self._given = {
            "system": drafts.system,
            "runs": list(drafts.run_names),
            "batches": list(drafts.batches),
        }
        self._narrowed: list[str] = []
        self.engine.ask(request)
        cursor.register("said_invoices", drafts.invoices)
        cursor.register("said_invoice_lines", drafts.lines)
        self._make("drafted_invoices", _INVOICES)
        self._make("replaced", _REPLACED)
        self._make("scope", "SELECT DISTINCT account_key FROM drafted_invoices WHERE account_key IS NOT NULL")

    def customers(self) -> dict[str, str | None]:
        """Per draft who it is for; None for an account that nothing knows."""
        rows = self.engine.rows("SELECT key, account_key FROM drafted_invoices")
        return {row["key"]: row["account_key"] for row in rows}

    def posted(self) -> frozenset[str]:
        """The drafts that are none any more, because the books hold an invoice of that id or number as posted."""
        return self._column(_POSTED)

    def elsewhere(self) -> frozenset[str]:
        """The customers whom the run does not bill, because the platform says that it bills other batches."""
        if not self._given["batches"]:
            return frozenset()
        return self._column(_ELSEWHERE)

    def narrow(self, entities: Collection[str]) -> Engine:
        """Rows of the customers that the drafts are for, and rows that belong to nobody.

        `entities` are the tables worth narrowing down; any other is there in full.
        """
        for name in sorted({*entities, *_LOOKED_UP} & self._owned - _OVERLAID.keys()):
            self._narrow(name, f'SELECT * FROM truth."{name}" t WHERE {_IN_SCOPE}')
        self._make("drafted_invoice_lines", _LINES)
        for name in _OVERLAID:
            self._narrow(name, f"{_stored(name)} AND {_IN_SCOPE} UNION ALL FROM drafted_{name}")
        return self.engine

    def widen(self) -> Engine:
        """Everybody's rows; the engine that `narrow` gave sees them too."""
        for name in self._narrowed:
            self.engine.connection.execute(f'DROP TABLE temp."{name}"')
        for name in _OVERLAID:
            self.engine.connection.execute(f"CREATE TEMP VIEW {name} AS {_stored(name)} UNION ALL FROM drafted_{name}")
        # Another engine, because a ruleset keeps in mind what it has worked out on this one.
        self.engine = Engine(self.engine.connection)
        return self.engine

    def _narrow(self, name: str, sql: str) -> None:
        self._make(name, sql)
        self._narrowed.append(name)

    def _make(self, name: str, sql: str) -> None:
        self._execute(f'CREATE TEMP TABLE "{name}" AS {sql}')

    def _column(self, sql: str) -> frozenset[str]:
        return frozenset(row[0] for row in self._execute(sql).fetchall())

    def _execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run it with what of the given it names: DuckDB refuses to be told more."""
        return self.engine.connection.execute(sql, {key: v for key, v in self._given.items() if f"${key}" in sql})


def _stored(name: str) -> str:
    """The stored rows of `name` that no draft stands for."""
    return f"""
        SELECT t.* FROM truth.{name} t
        WHERE NOT EXISTS (SELECT 1 FROM replaced r WHERE r.system = t.system AND r.key = t.{_OVERLAID[name]})
    """
