"""Synthetic books for the benchmarks: plain Parquet as it came, and the same rows as Delta books.

At scale 1: 1 M subscriptions of one line each, 10 M invoice lines, 20 M usage events, 100,000 amendments.
One record in a thousand is broken in each of the six ways that the reference checks look for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import write_deltalake

from books.engine import connect
from books.entities import ENTITIES
from books.snapshots import Reading, Snapshot
from books.store import Store

SYSTEM = "zuora"
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
STAMP = "TIMESTAMPTZ '2026-11-01 00:00:00+00'"


@dataclass(frozen=True)
class Laid:
    """Where the data lie: a folder of plain Parquet, and the Delta books with their snapshot."""

    parquet: Path
    store: Store
    snapshot: Snapshot
    rows: dict[str, int]


def tables(scale: float) -> dict[str, str]:
    """Per entity the query that makes its own columns, plus key, account_key and account_id."""
    subscriptions, lines = int(1_000_000 * scale), int(10_000_000 * scale)
    events, amendments = int(20_000_000 * scale), int(100_000 * scale)
    account = f"('a' || (n % {subscriptions} // 5))"
    return {
        "subscriptions": f"""
            SELECT 's' || n AS key, {account} AS account_key, 'S-' || n AS number, 1 AS version, 'active' AS status,
                DATE '2026-01-01' AS start_date, DATE '2027-01-01' AS end_date, 'USD' AS currency
            FROM range({subscriptions}) t(n)""",
        "subscription_lines": f"""
            SELECT 'c' || n AS key, {account} AS account_key, 's' || n AS subscription_key, 'recurring' AS charge_type,
                (1 + n % 50)::DECIMAL(18,6) AS quantity, (10 + n % 90)::DECIMAL(24,8) AS unit_price,
                1 AS price_months, 'USD' AS currency, DATE '2026-01-01' AS start_date, DATE '2027-01-01' AS end_date
            FROM range({subscriptions}) t(n)""",
        "billing_schedules": f"""
            SELECT 'g' || n AS key, {account} AS account_key, 'c' || n AS subscription_line_key,
                's' || n AS subscription_key, DATE '2026-01-01' + INTERVAL (n % 10) MONTH AS start_date
            FROM range({subscriptions}) t(n)""",
        "amendments": f"""
            SELECT 'm' || n AS key, {account} AS account_key, 's' || n AS subscription_key, 'activated' AS status,
                (DATE '2026-01-01' + INTERVAL (n % 10 + CASE WHEN n % 1000 = 0 THEN 1 ELSE 0 END) MONTH)::DATE
                    AS effective_date
            FROM range({amendments}) t(n)""",
        "invoice_lines": f"""
            SELECT 'l' || n AS key, {account} AS account_key, 'i' || n AS invoice_key,
                's' || (n % {subscriptions}) AS subscription_key, 'c' || (n % {subscriptions}) AS subscription_line_key,
                (1 + n % {subscriptions} % 50 + CASE WHEN n % 1000 = 1 THEN 1 ELSE 0 END)::DECIMAL(18,6) AS quantity,
                (10 + n % {subscriptions} % 90)::DECIMAL(24,8) AS unit_price,
                ((1 + n % {subscriptions} % 50) * (10 + n % {subscriptions} % 90)
                    + CASE WHEN n % 1000 = 2 THEN 7 ELSE 0 END)::DECIMAL(18,4) AS amount, 'USD' AS currency,
                (DATE '2026-01-01' + INTERVAL (n // {subscriptions} + CASE WHEN n % 1000 = 3 THEN 24 ELSE 0 END) MONTH
                    )::DATE AS period_start
            FROM range({lines}) t(n)""",
        "usage_events": f"""
            SELECT 'u' || n AS key, {account} AS account_key,
                'e' || (CASE WHEN n % 1000 = 4 THEN n - 1 ELSE n END) AS event_id,
                CASE WHEN n % 1000 = 5 THEN 'S-none' ELSE 'S-' || (n % {subscriptions}) END AS subscription_number,
                1::DECIMAL(18,6) AS quantity, {STAMP} + INTERVAL (n % 2000000) SECOND AS happened_at
            FROM range({events}) t(n)""",
    }


def lay(folder: Path, scale: float) -> Laid:
    """Make the data once; a folder that already holds them is used again."""
    parquet, books = folder / "parquet", folder / "books"
    store = Store(str(books))
    for entity, query in tables(scale).items():
        if (parquet / f"{entity}.parquet").exists():
            continue
        parquet.mkdir(parents=True, exist_ok=True)
        _lay_one(entity, query, parquet, books)
    readings = {(SYSTEM, entity): Reading(NOW, timedelta(hours=1)) for entity in ENTITIES}
    with connect() as connection:
        counted = {e: _count(connection, parquet / f"{e}.parquet") for e in tables(scale)}
    return Laid(parquet, store, Snapshot("bench", NOW, store.versions(), readings), counted)


def _lay_one(entity: str, query: str, parquet: Path, books: Path) -> None:
    """The Parquet in the order in which rows were made; the books clustered by account, as the sync keeps them."""
    partial = parquet / f"{entity}.part.parquet"
    with connect() as connection:
        connection.execute(f"COPY ({query}) TO '{partial}' (FORMAT PARQUET)")
        given = set(connection.sql(f"SELECT * FROM '{partial}'").columns)
        common = {
            "system": f"'{SYSTEM}'",
            "account_id": "account_key",
            "modified_at": STAMP,
            "synced_at": STAMP,
            "deleted": "false",
        }
        chosen = ", ".join(
            f'"{c.name}"' if c.name in given else f'{common.get(c.name, "NULL")} AS "{c.name}"'
            for c in ENTITIES[entity].columns
        )
        schema = ENTITIES[entity].arrow
        batches = connection.sql(f"SELECT {chosen} FROM '{partial}' ORDER BY account_key").to_arrow_reader(500_000)
        rows = pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches or ()))
        write_deltalake(str(books / entity), rows, partition_by=["system"])
    partial.rename(parquet / f"{entity}.parquet")


def _count(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    found = connection.execute(f"SELECT count(*) FROM '{file}'").fetchone()
    return int(found[0]) if found else 0
