"""What a statement may say: one SELECT, tables of the books by role, declared settings, and no clock of its own."""

from collections.abc import Iterator
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from books.entities import ENTITIES
from books.reading import REQUEST_SCHEMA, ROLES, SOURCES_SCHEMA
from checks.contract import Need
from gateway.user_checks.header import Header
from gateway.user_checks.mistake import Mistake

DIALECT = "duckdb"
OF_THE_REQUEST = {"request": REQUEST_SCHEMA, "sources": SOURCES_SCHEMA}
_CLOCK = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentDatetime, exp.Rand, exp.Uuid)
_CLOCK_NAMES = frozenset({"now", "today", "get_current_timestamp", "random", "uuid", "gen_random_uuid"})


def parsed(path: Path, text: str) -> exp.Query:
    """The one query of a text. Raises Mistake for anything that writes, or is no query."""
    try:
        trees = [tree for tree in sqlglot.parse(text, read=DIALECT) if tree is not None]
    except ParseError as error:
        found = error.errors[0]
        raise Mistake(path, found["line"], f"This is not SQL, at or before {found['highlight']!r}.") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise Mistake(path, None, "A check only reads: the file must hold one SELECT and no other statement.")
    return trees[0]


def refuse_unknown(path: Path, header: Header, tree: exp.Query) -> None:
    """Raises Mistake for what the books do not have, for settings that are not declared, and for the clock."""
    for line, text in (*_tables(tree), *_columns(tree), *_settings(header, tree), *_clock(tree)):
        raise Mistake(path, line, text)


def needs_of(path: Path, header: Header, tree: exp.Query) -> Iterator[Need]:
    """What the statement reads, with what its header says about some of that."""
    read = sorted({f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db})
    if not read:
        raise Mistake(path, None, "It reads no table of the books. Write role.entity, such as billing.invoices.")
    for name in (*header.may_be_empty, *header.optional, *filter(None, [header.absent_from])):
        if name not in read:
            raise Mistake(path, None, f"Its header names {name}, which the statement does not read.")
    for name in read:
        need = need_of(name)
        optional = name in header.optional
        yield Need(need.entity, need.role, optional or name in header.may_be_empty, optional)


def need_of(name: str) -> Need:
    """Of `role.entity`."""
    role, _, entity = name.partition(".")
    return Need(entity, role)


Remark = tuple[int | None, str]


def _tables(tree: exp.Query) -> Iterator[Remark]:
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    for name in sorted(own & (ENTITIES.keys() | OF_THE_REQUEST.keys())):
        yield None, f"The name {name} is taken by a table of the books. Give the WITH another name."
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            yield None, f"It reads {table.this.sql(DIALECT)}. A check reads the books and nothing else."
        elif not table.db and table.name not in {*own, *OF_THE_REQUEST}:
            yield table.this.meta.get("line"), _which_role(table.name)
        elif table.db and (table.catalog or table.db not in ROLES or table.name not in ENTITIES):
            yield table.this.meta.get("line"), _no_table(table)


def _which_role(name: str) -> str:
    if name in ENTITIES:
        return f"Say whose {name}: role.{name}, where the role is one of {', '.join(ROLES)}."
    return f"There is no table {name}. Write role.entity, such as billing.invoices; request and sources stand alone."


def _no_table(table: exp.Table) -> str:
    if table.catalog or table.db not in ROLES:
        return f"There is no role {table.db}; the roles are {', '.join(ROLES)}."
    return f"The books have no {table.name}; they have {', '.join(ENTITIES)}."


def _columns(tree: exp.Query) -> Iterator[Remark]:
    for column in tree.find_all(exp.Column):
        if column.name == "raw":
            yield column.this.meta.get("line"), "The gate does not hold raw. Map the field to a column."


def _settings(header: Header, tree: exp.Query) -> Iterator[Remark]:
    for place in tree.find_all(exp.Placeholder):
        if place.name not in header.settings:
            yield None, f"It names the setting :{place.name}, which its header does not declare."


def _clock(tree: exp.Query) -> Iterator[Remark]:
    for found in tree.find_all(*_CLOCK, exp.Anonymous):
        if not isinstance(found, exp.Anonymous) or found.name.lower() in _CLOCK_NAMES:
            yield None, f"It says {found.sql(DIALECT)}. Read the moment from request: `now` and `today`."
