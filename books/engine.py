"""The embedded engine: DuckDB over the Parquet files of one published snapshot."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from books.comparing import no_rows, padded, parquet
from books.dialects import DUCKDB
from books.entities import ENTITIES, Entity
from books.reading import REQUEST_SCHEMA, SOURCES_SCHEMA
from books.snapshots import Snapshot
from books.store import Store

# Spark's name for it, so that one expression means the same on both engines. An unknown zone counts as UTC.
_LOCAL_TIME = """
CREATE MACRO from_utc_timestamp(moment, zone) AS timezone(
    CASE WHEN zone IN (SELECT name FROM pg_timezone_names()) THEN zone ELSE 'UTC' END, moment::TIMESTAMPTZ
)
"""


@dataclass(frozen=True)
class Request:
    """The moment and the run that are asked about; a sweep asks about the whole run as of today."""

    now: datetime
    target_date: date
    whole_run: bool = True


_IN_SCOPE = "t WHERE t.account_key IS NULL OR t.account_key IN (SELECT account_key FROM scope)"


class Engine:
    """Answers the SQL that checks compile to. Tables bear the entities' names, plus `request` and `sources`."""

    dialect = DUCKDB

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.request: Request | None = None

    @classmethod
    def over(cls, store: Store, snapshot: Snapshot, tables: Collection[str] = ENTITIES.keys()) -> Self:
        """Views over the snapshot's files, of these tables; an entity that was never written is an empty table."""
        engine = cls(connect())
        for entity in (ENTITIES[name] for name in ENTITIES if name in tables):
            version = snapshot.versions.get(entity.name)
            engine._view(entity, store.files(entity.name, version) if version is not None else [])
        engine.hold("sources", source_rows(snapshot))
        return engine

    def ask(self, request: Request) -> None:
        """Set the one-row table `request`."""
        self.request = request
        self.hold("request", request_row(request))

    def share(self, accounts: Collection[str], tables: Iterable[str]) -> Self:
        """Another engine over the same books, which of these tables sees rows of these accounts and of nobody.

        It is to be closed before this one; it knows neither `request` nor what this one has been told to hold.
        """
        engine = type(self)(self.connection.cursor())
        engine.hold("scope", pa.table({"account_key": pa.array(sorted(accounts), pa.string())}))
        for name in tables:
            engine.define(name, f'SELECT * FROM main."{name}" {_IN_SCOPE}')
        return engine

    def hold(self, name: str, rows: pa.Table) -> None:
        """Keep rows as an in-memory table of this connection alone, replacing one of the same name."""
        self.connection.register("incoming", rows)
        self.connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM incoming')
        self.connection.unregister("incoming")

    def define(self, name: str, sql: str) -> None:
        """Keep the answer to a query as a table of that name, replacing an earlier one."""
        self.connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {sql}')

    def arrow(self, sql: str) -> pa.Table:
        """The answer as an Arrow table."""
        return self.connection.sql(sql).to_arrow_table()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer as dictionaries: Decimal, date and aware datetime values."""
        # A relation is planned when it is made and again when it is read, and where there are few rows planning is
        # most of the work. So it is made of a table that holds the answer.
        self.define("_answer", sql)
        answer = self.arrow("FROM _answer")
        self.connection.execute("DROP TABLE _answer")
        return list(answer.to_pylist())

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _view(self, entity: Entity, files: list[str]) -> None:
        if not files:
            self._view_over(entity, no_rows(self.connection, entity.arrow))
            return
        try:
            self._view_over(entity, parquet(files))
        except duckdb.BinderException:
            self._view_over(entity, padded(self.connection, files, entity.arrow))

    def _view_over(self, entity: Entity, relation: str) -> None:
        names = ", ".join(f'"{column.name}"' for column in entity.columns)
        self.connection.execute(f'CREATE OR REPLACE VIEW "{entity.name}" AS SELECT {names} FROM {relation}')


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that thinks in UTC and never looks for an extension outside this machine."""
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, "TimeZone": "UTC"})
    connection.execute(_LOCAL_TIME)
    return connection


def request_row(request: Request) -> pa.Table:
    """The moment and the run as the table `request`."""
    row = {
        "now": request.now,
        "today": request.now.date(),
        "target_date": request.target_date,
        "whole_run": request.whole_run,
    }
    return pa.Table.from_pylist([row], REQUEST_SCHEMA.to_pyarrow())


def source_rows(snapshot: Snapshot) -> pa.Table:
    """The snapshot's readings as the table `sources`."""
    rows: list[Mapping[str, object]] = [
        {
            "system": system,
            "entity": entity,
            "watermark": reading.watermark,
            "fresh_from": reading.fresh_from,
            "stale_at": reading.stale_at,
            "failure": reading.failure,
        }
        for (system, entity), reading in sorted(snapshot.readings.items())
    ]
    return pa.Table.from_pylist(rows, SOURCES_SCHEMA.to_pyarrow())
