"""Relations that several checks share: worked out once per engine, then read like any other table.

A check reads `SOME_RELATION.table`, an unbound table. Before the check is asked, the ruleset has the engine hold
the relation under its name, and first the relations that it is itself made from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import ibis
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir
import sqlglot

from books.dialects import DUCKDB, SPARK
from books.reading import Books
from books.spark_sql import spark_sql

_NO_BOOKS = Books({}, {})
_KNOWN: dict[str, "Relation"] = {}


@dataclass(frozen=True)
class Relation:
    """`define` builds the relation from the books; its columns do not depend on which systems there are."""

    name: str
    define: Callable[[Books], ir.Table]

    def __post_init__(self) -> None:
        _KNOWN[self.name] = self

    @cached_property
    def schema(self) -> sch.Schema:
        return self.define(_NO_BOOKS).schema()

    @property
    def table(self) -> ir.Table:
        return ibis.table(self.schema, name=self.name)


def read_by(expression: ir.Table) -> list[Relation]:
    """The relations that an expression reads by itself."""
    return [_KNOWN[table.name] for table in expression.op().find(ops.UnboundTable) if table.name in _KNOWN]


class Workings:
    """The SQL of relations over the same books, each compiled once."""

    def __init__(self, books: Books, dialect: str = DUCKDB) -> None:
        self._books = books
        self._dialect = dialect
        self._sql: dict[str, tuple[str, Mapping[str, str]]] = {}
        self._reads: dict[str, frozenset[str]] = {}

    def behind(self, expression: ir.Table) -> dict[str, str]:
        """Name to SQL of the relations that an expression reads, each after those that it is made from."""
        found: dict[str, str] = {}
        for relation in read_by(expression):
            sql, before = self._work_out(relation)
            found.update({**before, relation.name: sql})
        return found

    def reads(self, expression: ir.Table) -> frozenset[str]:
        """The tables that an expression reads, by itself or through relations."""
        read: set[str] = set()
        for unbound in expression.op().find(ops.UnboundTable):
            if unbound.name in _KNOWN:
                self._work_out(_KNOWN[unbound.name])
                read |= self._reads[unbound.name]
            else:
                read.add(unbound.name)
        return frozenset(read)

    def is_momentary(self, name: str) -> bool:
        """Whether a relation that was worked out depends on the moment and the run that are asked about."""
        return "request" in self._reads[name]

    def _work_out(self, relation: Relation) -> tuple[str, Mapping[str, str]]:
        if relation.name not in self._sql:
            rows = relation.define(self._books)
            self._sql[relation.name] = (compiled(rows, self._dialect), self.behind(rows))
            self._reads[relation.name] = self.reads(rows)
        return self._sql[relation.name]


def compiled(rows: ir.Table, dialect: str = DUCKDB) -> str:
    """The SQL of an expression for an engine that speaks the dialect."""
    if dialect == SPARK:
        return spark_sql(_spoken(rows, dialect))
    return str(ibis.to_sql(_spoken(rows, dialect), dialect=dialect, pretty=False))


def _spoken(rows: ir.Table, dialect: str) -> ir.Table:
    """With statements that were written for the embedded engine put in the words of another one."""
    written = rows.op().find(ops.SQLQueryResult)
    if dialect == DUCKDB or not written:
        return rows
    said = {node: node.copy(query=sqlglot.transpile(node.query, read="duckdb", write=dialect)[0]) for node in written}
    return rows.op().replace(said).to_expr()
