"""Relations that several checks share: worked out once per engine, then read like any other table.

A check reads `SOME_RELATION.table`, an unbound table. Before the check is asked, the ruleset has the engine hold
the relation under its name, and first the relations that it is itself made from.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import ibis
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir

from books.reading import Books

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


def relations_in(expression: ir.Table, books: Books) -> Iterator[Relation]:
    """The relations that an expression reads, each after those that it is made from; some may come twice."""
    for unbound in expression.op().find(ops.UnboundTable):
        relation = _KNOWN.get(unbound.name)
        if relation is not None:
            yield from relations_in(relation.define(books), books)
            yield relation
