"""A check declares what it reads, and does not ask for what it never reads.

What is not declared may be stale without anybody saying so; what is declared for nothing leaves a check without an
answer where a source is missing that it can do without.
"""

from functools import cache

import ibis.expr.types as ir
import pytest

from books.reading import Books
from checks.catalogue import CATALOGUE
from checks.contract import Check
from checks.relation import Relation, read_by
from checks.ruleset import Ruleset
from tests.checks.kit import books

Place = tuple[str, str]  # entity and role


class Noting(Books):
    """Books that note which tables are asked for."""

    def __init__(self, of: Books) -> None:
        super().__init__(of.roles, of.mapped)
        self.__dict__["noted"] = frozenset()

    noted: frozenset[Place]

    def every(self, name: str, role: str) -> ir.Table:
        self.__dict__["noted"] = self.noted | {(name, role)}
        return super().every(name, role)


# What is read may depend on what there is: where every source is there, and where none is.
INSTALLED = {"every source": books(), "no source": Books({}, {})}
# It says that sources are stale, so it may not fall silent because one is.
UNDECLARED = {"source_stale": {("invoices", "billing")}}


@pytest.mark.parametrize("check", CATALOGUE.values(), ids=lambda check: check.id)
def test_a_check_declares_what_it_reads_and_reads_what_it_declares(check: Check) -> None:
    declared = {(need.entity, need.role) for need in check.needs}
    read = set().union(*(_read_by(check, installed) for installed in INSTALLED))
    assert declared == read - UNDECLARED.get(check.id, set())


def _read_by(check: Check, installed: str) -> frozenset[Place]:
    noting = Noting(INSTALLED[installed])
    rows = Ruleset([check], noting).rules[check.id].rows()
    return noting.noted.union(*(_behind(relation, installed) for relation in read_by(rows)))


@cache
def _behind(relation: Relation, installed: str) -> frozenset[Place]:
    noting = Noting(INSTALLED[installed])
    rows = relation.define(noting)
    return noting.noted.union(*(_behind(other, installed) for other in read_by(rows)))
