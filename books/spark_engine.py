"""The distributed engine: Spark over the Parquet files of one published snapshot, in this process or by Spark Connect.

PySpark is an extra (`pip install tieout[spark]`). Nothing of it is imported before a session is opened.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from books.dialects import SPARK
from books.engine import Request, request_row, source_rows
from books.entities import ENTITIES, Entity
from books.errors import PermanentError
from books.snapshots import Snapshot
from books.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What a session must be for its answers to be those of the embedded engine.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # A product keeps its places: where it has no room, it fails and loses no cents.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.ansi.enabled": "true",
    # The systems' names are text, whatever they look like.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}


def session(master: str, settings: Mapping[str, str] | None = None) -> "SparkSession":
    """A session on a cluster, on this machine (`local[…]`) or by Spark Connect (`sc://…`).

    Raises PermanentError where PySpark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise PermanentError("engine: spark needs PySpark. Install it with `pip install tieout[spark]`.") from error
    builder = SparkSession.builder.appName("tieout")
    builder = builder.remote(master) if master.startswith("sc://") else builder.master(master)
    opened: SparkSession = builder.config(map={**SETTINGS, **(settings or {})}).getOrCreate()
    return opened


class SparkEngine:
    """Answers what `books.engine.Engine` answers; its tables are temporary views of one session."""

    dialect = SPARK

    def __init__(self, spark: "SparkSession") -> None:
        self._spark = spark
        self.request: Request | None = None

    @classmethod
    def over(cls, store: Store, snapshot: Snapshot, spark: "SparkSession") -> Self:
        """Views over the snapshot's files; an entity that was never written is an empty table."""
        engine = cls(spark)
        for entity in ENTITIES.values():
            version = snapshot.versions.get(entity.name)
            engine._view(entity, store, version)
        engine.hold("sources", source_rows(snapshot))
        return engine

    def ask(self, request: Request) -> None:
        """Set the one-row table `request`."""
        self.request = request
        self.hold("request", request_row(request))

    def hold(self, name: str, rows: pa.Table) -> None:
        """Keep rows as a view of that name, replacing an earlier one."""
        with _faults():
            self._spark.createDataFrame(rows).createOrReplaceTempView(name)

    def define(self, name: str, sql: str) -> None:
        """Keep the answer to a query under that name; it is worked out once."""
        with _faults():
            self._spark.sql(sql).localCheckpoint().createOrReplaceTempView(name)

    def arrow(self, sql: str) -> pa.Table:
        """The answer as an Arrow table. Raises PermanentError for what Spark cannot work out."""
        with _faults():
            return self._spark.sql(sql).toArrow()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer as dictionaries: Decimal, date and aware datetime values."""
        return list(self.arrow(sql).to_pylist())

    def _view(self, entity: Entity, store: Store, version: int | None) -> None:
        files = store.files(entity.name, version) if version is not None else []
        if not files:
            self.hold(entity.name, entity.arrow.empty_table())
            return
        root = files[0].partition("/system=")[0]
        with _faults():
            held = self._spark.read.option("basePath", root).option("mergeSchema", "true").parquet(*files)
            self._columns(entity, held).createOrReplaceTempView(entity.name)

    def _columns(self, entity: Entity, held: "DataFrame") -> "DataFrame":
        """The entity's columns, null where files of an earlier version have none."""
        wanted = self._spark.createDataFrame(entity.arrow.empty_table()).schema
        there = set(held.columns)
        return held.selectExpr(
            *(
                f"CAST({f'`{field.name}`' if field.name in there else 'NULL'} AS {field.dataType.simpleString()}) "
                f"AS `{field.name}`"
                for field in wanted
            )
        )


@contextmanager
def _faults() -> Iterator[None]:
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise PermanentError(f"Spark could not work it out: {error}") from error
