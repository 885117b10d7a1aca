"""Every name in a query brought to the table and column that it means, or refused as the account refuses it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from sandbox.netsuite.kinds import kind_of, mark
from sandbox.netsuite.refusals import QueryRefused, RecordNotFound, UnknownIdentifier

Columns = Mapping[str, str | None]
"""Names of columns, each with its kind (None where it is not known)."""

ROWNUM = "rownum"
_DUAL: Columns = {"dummy": "text"}


@dataclass
class _Reach:
    """The sources that a SELECT can name, and those of the queries around it."""

    outer: "_Reach | None" = None
    columns: dict[str, Columns] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)

    def add(self, alias: str, table: str, columns: Columns) -> None:
        if alias in self.columns:
            raise QueryRefused(f"Search error occurred: The alias '{alias}' is used twice.")
        self.columns[alias] = columns
        self.tables[alias] = table

    def owners(self, name: str) -> list[str]:
        return [alias for alias, columns in self.columns.items() if name in columns]


def resolve(query: exp.Query, schema: Mapping[str, Mapping[str, str]]) -> None:
    """Qualify and quote every name in place, number the ORDER BY terms that name an output, expand `*`.

    `schema` holds the tables that may be read. Raises RecordNotFound, UnknownIdentifier or QueryRefused.
    """
    _Resolver(schema).query(query, None)


class _Resolver:
    def __init__(self, schema: Mapping[str, Mapping[str, str]]) -> None:
        self._schema = schema

    def query(self, node: exp.Expr, outer: _Reach | None) -> Columns:
        """Resolve a query; return its output columns in order."""
        if isinstance(node, exp.Subquery):
            return self.query(node.this, outer)
        if isinstance(node, exp.SetOperation):
            left, right = self.query(node.this, outer), self.query(node.expression, outer)
            if len(left) != len(right):
                raise QueryRefused("Search error occurred: The joined queries differ in their columns.")
            _number_order(node, list(left), must_match=True)
            return left
        if isinstance(node, exp.Select):
            return self._select(node, outer)
        raise QueryRefused("Invalid or unsupported search. A query is a SELECT.")

    def _select(self, select: exp.Select, outer: _Reach | None) -> Columns:
        source = select.args.get("from_")
        if source is None or not select.expressions:
            raise QueryRefused("Invalid or unsupported search. A query needs columns and FROM.")
        reach = _Reach(outer)
        for clause in (source, *select.args.get("joins", [])):
            self._add_source(clause.this, reach)
        _expand_star(select, reach)
        names = _name_outputs(select)
        _number_order(select, names, must_match=False)
        self._bind_names(select, reach)
        return {item.alias: kind_of(item) for item in select.expressions}

    def _add_source(self, source: exp.Expr, reach: _Reach) -> None:
        if isinstance(source, exp.Subquery):
            alias = source.alias.lower() or f"__query{len(reach.columns)}"
            reach.add(alias, alias, self.query(source.this, None))
        elif isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            table = source.name.lower()
            alias = source.alias_or_name.lower()
            reach.add(alias, table, self._columns_of(table, source.name))
            source.this.replace(exp.to_identifier(table, quoted=True))
        else:
            raise QueryRefused("Invalid or unsupported search. FROM takes tables and queries.")
        source.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))

    def _columns_of(self, table: str, as_written: str) -> Columns:
        if table == "dual":
            return _DUAL
        columns = self._schema.get(table)
        if columns is None:
            raise RecordNotFound(as_written)
        return columns

    def _bind_names(self, node: exp.Expr, reach: _Reach) -> None:
        for child in list(node.iter_expressions()):
            if isinstance(child, exp.Subquery | exp.Select | exp.SetOperation):
                if not isinstance(node, exp.From | exp.Join):
                    self.query(child, reach)
            elif isinstance(child, exp.Column):
                _bind_column(child, reach)
            elif not isinstance(child, exp.Table):
                self._bind_names(child, reach)


def _bind_column(column: exp.Column, reach: _Reach) -> None:
    name, qualifier = column.name.lower(), column.table.lower()
    scope: _Reach | None = reach
    while scope is not None:
        owners = [qualifier] if qualifier in scope.columns else [] if qualifier else scope.owners(name)
        if len(owners) > 1:
            raise QueryRefused(f"Search error occurred: The identifier '{column.name}' is ambiguous.")
        if owners:
            if name not in scope.columns[owners[0]]:
                break
            column.set("this", exp.to_identifier(name, quoted=True))
            column.set("table", exp.to_identifier(owners[0], quoted=True))
            column.meta["source"] = scope.tables[owners[0]]
            mark(column, scope.columns[owners[0]][name])
            return
        scope = scope.outer
    if name == ROWNUM and not qualifier:
        column.set("this", exp.to_identifier(ROWNUM))
        mark(column, ROWNUM)
        return
    missing = column.name if scope is not None or not qualifier else column.table
    raise UnknownIdentifier(missing, reach.tables)


def _expand_star(select: exp.Select, reach: _Reach) -> None:
    stars = [item for item in select.expressions if item.is_star]
    if not stars:
        return
    if len(reach.columns) > 1 or len(select.expressions) > 1:
        raise QueryRefused("Invalid or unsupported search. '*' stands alone, over one table.")
    alias, columns = next(iter(reach.columns.items()))
    qualifier = stars[0].table.lower() if isinstance(stars[0], exp.Column) else ""
    if qualifier not in ("", alias):
        raise UnknownIdentifier(qualifier, reach.tables)
    select.set("expressions", [exp.column(name, table=alias) for name in columns])


def _name_outputs(select: exp.Select) -> list[str]:
    """Give every output its name: the alias, the column, or `expr` with a number; lower case."""
    names: list[str] = []
    named: list[exp.Expr] = []
    for position, item in enumerate(select.expressions, start=1):
        bare = item.this if isinstance(item, exp.Alias) else item
        name = item.alias or (bare.name if isinstance(bare, exp.Column) else f"expr{position}")
        names.append(name.lower())
        named.append(exp.Alias(this=bare, alias=exp.to_identifier(name.lower(), quoted=True)))
    select.set("expressions", named)
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise QueryRefused(f"Search error occurred: Two columns are called '{double}'; give them aliases.")
    return names


def _number_order(query: exp.Query, names: list[str], *, must_match: bool) -> None:
    """Write ORDER BY terms that name an output as that output's position."""
    order = query.args.get("order")
    for term in order.expressions if order is not None else []:
        wanted = term.this
        if isinstance(wanted, exp.Column) and not wanted.table and wanted.name.lower() in names:
            wanted.replace(exp.Literal.number(names.index(wanted.name.lower()) + 1))
        elif isinstance(wanted, exp.Literal) and not wanted.is_string:
            if not 1 <= int(wanted.name) <= len(names):
                raise QueryRefused("Search error occurred: ORDER BY names a position that does not exist.")
        elif must_match:
            raise QueryRefused("Search error occurred: ORDER BY must name an output of the joined queries.")
