"""What the gate holds of the books in memory, and the share of it that one request is judged against.

The whole of the latest published snapshot is loaded once into DuckDB tables under the schema `truth`. A
request then gets tables of its own, under the entities' plain names, on a cursor of its own: the rows of the
accounts concerned (or all of them, for checks that look at the whole run), with the drafts of the run laid
over the stored ones. So the same compiled SQL serves the sweep and the gate.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import duckdb
import pyarrow as pa

from books.engine import Engine, Request, source_rows
from books.entities import ENTITIES
from books.snapshots import Snapshot
from books.store import Store, table_from

OVERLAID = ("invoices", "invoice_lines")


@dataclass(frozen=True)
class Drafts:
    """The drafts of one run as rows of the books."""

    system: str
    run_key: str
    invoices: Sequence[dict[str, Any]]
    lines: Sequence[dict[str, Any]]


class Truth:
    """The books of one snapshot, in memory. Safe for several threads: each request has its own cursor."""

    def __init__(self, snapshot: Snapshot, connection: duckdb.DuckDBPyConnection) -> None:
        self.snapshot = snapshot
        self._connection = connection

    @classmethod
    def load(cls, store: Store, snapshot: Snapshot) -> Self:
        """Read the snapshot's tables; `raw` is left out, which no check reads."""
        engine = Engine.over(store, snapshot)
        engine.connection.execute("CREATE SCHEMA truth")
        for entity in ENTITIES.values():
            names = ", ".join(f'"{c.name}"' if c.name != "raw" else "NULL::VARCHAR AS raw" for c in entity.columns)
            engine.connection.execute(
                f'CREATE TABLE truth."{entity.name}" AS SELECT {names} FROM "{entity.name}" ORDER BY account_key'
            )
            engine.connection.execute(f'CREATE OR REPLACE VIEW main."{entity.name}" AS FROM truth."{entity.name}"')
        return cls(snapshot, engine.connection)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Ask the schema `truth` directly."""
        cursor = self._connection.cursor()
        try:
            return list(cursor.sql(sql, params=list(parameters)).to_arrow_table().to_pylist())
        finally:
            cursor.close()

    @contextmanager
    def share(
        self, request: Request, drafts: Drafts, accounts: Iterable[str] | None, entities: Iterable[str]
    ) -> Iterator[Engine]:
        """An engine over the rows of `accounts` (None: everybody's) with the drafts laid over them.

        `entities` are the tables worth narrowing down; any other is there in full. Rows that belong to nobody
        (products, rates, unowned records) are always there.
        """
        engine = Engine(self._connection.cursor())
        try:
            engine.hold("sources", source_rows(self.snapshot))
            engine.ask(request)
            engine.hold("scope", pa.table({"account_key": pa.array(sorted(set(accounts or ())), pa.string())}))
            engine.hold("drafted", _named(drafts))
            engine.hold("drafted_invoices", table_from("invoices", drafts.invoices))
            engine.hold("drafted_invoice_lines", table_from("invoice_lines", drafts.lines))
            for name in {*(entities if accounts is not None else ()), *OVERLAID}:
                _lay(engine, name, scoped=accounts is not None)
            yield engine
        finally:
            engine.close()


def _lay(engine: Engine, name: str, *, scoped: bool) -> None:
    """Make the request's own table `name`: the share of the truth, less what the drafts stand for, plus the drafts."""
    where = "(t.account_key IS NULL OR t.account_key IN (SELECT account_key FROM scope))" if scoped else "TRUE"
    share = f'SELECT t.* FROM truth."{name}" t WHERE {where}'
    if name not in OVERLAID:
        engine.connection.execute(f'CREATE TEMP TABLE "{name}" AS {share}')
        return
    column = "key" if name == "invoices" else "invoice_key"
    engine.connection.execute(
        f'CREATE TEMP TABLE "{name}" AS {share} AND (t.system, t.{column}) NOT IN ({_REPLACED}) '
        f"UNION ALL SELECT * FROM drafted_{name}"
    )


# Stored invoices that the drafts stand for: the same id, the same number, or a draft of the same run.
_REPLACED = """
    SELECT r.system, r.key FROM truth.invoices r JOIN drafted d ON r.system = d.system
        AND (r.key = d.id OR r.number = d.id OR (r.status = 'draft' AND r.run_key = d.run_key))
"""


def _named(drafts: Drafts) -> pa.Table:
    names = sorted({n for row in drafts.invoices for n in (row["key"], row.get("number")) if n}) or [""]
    return pa.table({"system": [drafts.system] * len(names), "id": names, "run_key": [drafts.run_key] * len(names)})
