"""A check written in SQL: one SELECT over the books' tables, each named `role.entity`.

The statement is DuckDB's SQL. Its tables become the live rows of the systems in the role, as `Books.table` gives them,
and it becomes an Ibis expression, so that it is asked, judged and put to other engines like any check.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from sqlglot import exp

from books.engine import connect
from books.entities import ENTITIES
from books.reading import Books
from checks.contract import Arithmetic, Check, Params, Scope, Setting, Tolerance
from checks.errors import DeclarationError
from checks.rows import listed, reference, some
from gateway.user_checks.header import taken_apart
from gateway.user_checks.mistake import Mistake
from gateway.user_checks.module import no_column
from gateway.user_checks.query import DIALECT, OF_THE_REQUEST, need_of, needs_of, parsed, refuse_unknown

_NEVER = "timestamp('UTC', 6)"


@dataclass(frozen=True)
class Statement:
    """What finds the rows: a check's `find`. `source` is all that they depend on, beside books and settings."""

    path: Path
    text: str
    record: str
    scope: Scope
    settings: tuple[Setting, ...]

    @property
    def source(self) -> str:
        return f"{self.record}\n{self.text}"

    def __call__(self, books: Books, params: Params) -> ir.Table:
        """Candidate rows. Raises Mistake for a column or function that is not there, with its line in the file."""
        tree = parsed(self.path, self.text)
        values = {setting.name: _literal(setting, params) for setting in self.settings}
        with connect() as connection:
            _lay_out(connection, tree)
            self._refuse_unknown(connection, tree, values)
            query = _over(books, tree, values).sql(DIALECT)
            schema = ibis.Schema.from_pyarrow(connection.sql(query).limit(0).to_arrow_table().schema)
        # The node that `.sql()` of an Ibis backend makes; there is no backend here, nor any table of the books yet.
        rows = ops.SQLQueryResult(query=query, schema=schema, source=None).to_expr()
        return _completed(rows, self.record, self.scope)

    def _refuse_unknown(
        self, connection: duckdb.DuckDBPyConnection, tree: exp.Query, values: Mapping[str, exp.Expression]
    ) -> None:
        """Have DuckDB read the text as it is written, the settings put in: so it knows the lines."""
        said = self.text
        for name, value in values.items():
            said = re.sub(rf"(?<![:\w]):{name}\b", value.sql(DIALECT).replace("\\", r"\\"), said)
        try:
            connection.sql(said)
        except duckdb.Error as error:
            raise _refused(self.path, tree, error) from error


def from_statement(path: Path) -> Check:
    """The check of a file. Raises Mistake."""
    try:
        parts = taken_apart(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise Mistake(path, None, "It is not UTF-8 text.") from error
    header = parts.header
    tree = parsed(path, parts.statement)
    refuse_unknown(path, header, tree)
    settings = tuple(Setting(name, said.default, said.reason) for name, said in header.settings.items())
    tolerance = header.tolerance
    try:
        return Check(
            id=path.stem,
            doc=parts.doc,
            needs=tuple(needs_of(path, header, tree)),
            settings=settings,
            find=Statement(path, parts.statement, header.record, header.scope, settings),
            arithmetic=Arithmetic.of(header.arithmetic.expected, header.arithmetic.actual, header.arithmetic.amount),
            tolerance=Tolerance(tolerance.absolute, tolerance.relative) if tolerance else None,
            absent_from=need_of(header.absent_from) if header.absent_from else None,
            **{name: getattr(header, name) for name in _AS_SAID},
        )
    except DeclarationError as error:
        raise Mistake(path, None, str(error)) from error


_AS_SAID = (
    *("pattern", "severity", "owners", "mode", "scope", "kind", "message", "version", "negative_kind", "spans"),
    *("lag_minutes", "may_block"),
)


def _literal(setting: Setting, params: Params) -> exp.Expression:
    if isinstance(setting.default, int):
        return exp.Literal.number(params.whole(setting.name))
    if isinstance(setting.default, Decimal):
        return exp.Literal.number(f"{params.decimal(setting.name):f}")
    return exp.Literal.string(params.text(setting.name))


def _over(books: Books, tree: exp.Query, values: Mapping[str, exp.Expression]) -> exp.Query:
    """The query over the tables of these books, with the settings put in."""
    for place in list(tree.find_all(exp.Placeholder)):
        place.replace(values[place.name].copy())
    for table in list(tree.find_all(exp.Table)):
        if table.db:
            table.replace(_rows_of(books, table))
    for column in tree.find_all(exp.Column):
        column.set("db", None)
    return tree


def _rows_of(books: Books, table: exp.Table) -> exp.Expression:
    """Live rows of the systems in the role, under the name that the statement gives them."""
    columns = [exp.column(name) for name in _columns(table.name)]
    systems = [exp.Literal.string(system) for system in books.systems(table.name, table.db)]
    rows = exp.select(*columns).from_(exp.to_table(table.name))
    rows = rows.where(
        exp.column("system").isin(*(systems or [exp.Literal.string("")])), exp.not_(exp.column("deleted"))
    )
    named = rows.subquery(table.alias or table.name)
    if table.args.get("joins"):
        named.set("joins", table.args["joins"])
    return named


@cache
def _columns(entity: str) -> tuple[str, ...]:
    """Those that a check may read: `raw` is not held by the gate."""
    return tuple(column.name for column in ENTITIES[entity].columns if column.name != "raw")


def _lay_out(connection: duckdb.DuckDBPyConnection, tree: exp.Query) -> None:
    """Empty tables of what the statement names, each with a view `role.entity`."""
    named = {(table.db, table.name) for table in tree.find_all(exp.Table) if table.db}
    for name, schema in OF_THE_REQUEST.items():
        _make(connection, name, schema)
    for name in {name for _, name in named}:
        _make(connection, name, ibis.schema({c: ENTITIES[name].ibis[c] for c in _columns(name)}))
    for role, name in named:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {role}")
        connection.execute(f"CREATE VIEW {role}.{name} AS FROM main.{name}")


def _make(connection: duckdb.DuckDBPyConnection, name: str, schema: ibis.Schema) -> None:
    empty = schema.to_pyarrow().empty_table()
    connection.register("incoming", empty)
    connection.execute(f'CREATE TABLE main."{name}" AS FROM incoming')
    connection.unregister("incoming")


def _refused(path: Path, tree: exp.Query, error: duckdb.Error) -> Mistake:
    """DuckDB names lines of some mistakes; of a column that is not there, the tree knows its line."""
    text = str(error)
    named = re.search(r'column (?:named )?"(\w+)"', text)
    place = named and next((c for c in tree.find_all(exp.Column) if c.name == named[1]), None)
    if named and place:
        known = {name for table in tree.find_all(exp.Table) if table.db for name in _columns(table.name)}
        return Mistake(path, place.this.meta.get("line"), no_column(named[1], sorted(known)))
    line = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    return Mistake(path, int(line[1]) if line else None, text.split("\n\n")[0])


def _completed(rows: ir.Table, record: str, scope: Scope) -> ir.Table:
    """With the columns of a candidate row that a statement may leave out."""
    said = rows.columns
    if not {"system", "key"} <= set(said):
        return rows.mutate(entity=ibis.literal(record))
    text, never = ibis.null("string"), ibis.null(_NEVER)
    left_out: dict[str, ir.Value] = {
        "subject": rows.key,
        "period_start": ibis.null("date"),
        "period_end": ibis.null("date"),
        "line_key": rows.key if record == "invoice_lines" else text,
        "fails_from": never,
        "known_at": never,
    }
    if record == "invoices" or scope not in (Scope.INVOICE, Scope.LINE):
        left_out["invoice_key"] = rows.key if record == "invoices" else text
    added = {name: value for name, value in left_out.items() if name not in said}
    added |= {name: rows[name].cast(_NEVER) for name in ("fails_from", "known_at") if name in said}
    own = listed(reference(rows.system, record, rows.key))
    evidence = own.concat(some(rows.evidence)) if "evidence" in said else own
    return rows.mutate(**{"entity": ibis.literal(record), "evidence": evidence, **added})
