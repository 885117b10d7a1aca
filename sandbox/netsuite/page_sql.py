"""The DuckDB statement for one page of a translated query.

Formatting a moment costs a microsecond, so a plain query finds the page's rows first and computes its expressions
only for those: a million rows then answer a page in the time of a scan.
"""

from sqlglot import exp

from sandbox.netsuite.kinds import kind_of
from sandbox.netsuite.mirror import NUMBER, quoted
from sandbox.netsuite.names import ROWNUM


def is_plain(query: exp.Query) -> bool:
    """Whether each output row is one found row, so that outputs can be computed after the page is cut.

    Asked of the resolved query, before it is translated.
    """
    if not isinstance(query, exp.Select) or any(query.args.get(arg) for arg in ("group", "having", "distinct")):
        return False
    return not any(
        isinstance(node, exp.AggFunc | exp.Query) or kind_of(node) == ROWNUM
        for item in query.expressions
        for node in item.walk()
    )


def count_sql(query: exp.Query) -> str:
    """The number of all rows of the query."""
    counted = query.copy()
    if counted.args.get("limit") is None:
        counted.set("order", None)
    return f"SELECT count(*) FROM ({_sql(counted)}) AS counted"


def page_sql(query: exp.Query, *, plain: bool, seed: int, limit: int, offset: int) -> str:
    """Columns v0, v1, ... of the page's rows, then `__place`, their order.

    Rows that ORDER BY leaves tied, or all of them without it, come in an order drawn from `seed`.
    """
    found, outputs = _plain(query, seed) if plain and isinstance(query, exp.Select) else _whole(query, seed)
    values = ", ".join(f"{output} AS v{i}" for i, output in enumerate(outputs))
    return (
        f"SELECT {values}, __place FROM (SELECT *, row_number() OVER () AS __place FROM "
        f"(SELECT * FROM ({found}) AS found LIMIT {limit} OFFSET {offset}) AS cut) AS placed"
    )


def _plain(query: exp.Select, seed: int) -> tuple[str, list[str]]:
    """The rows with the columns that the outputs need, in order; and the outputs over these."""
    found = query.copy()
    items = [item.this for item in found.expressions]
    _sort(found, items, _row_hash(found, seed))
    aliases = set(_aliases(found))
    needed: dict[tuple[str, str], str] = {}
    outputs = []
    for item in items:
        output = exp.Paren(this=item.copy())
        for column in [c for c in output.find_all(exp.Column) if c.table in aliases]:
            name = needed.setdefault((column.table, column.name), f"c{len(needed)}")
            column.replace(exp.column(name))
        outputs.append(_sql(output))
    columns = [f"{quoted(table)}.{quoted(column)} AS {name}" for (table, column), name in needed.items()]
    found.select(*(columns or ["1 AS c0"]), append=False, copy=False, dialect="duckdb")
    return _sql(found), outputs


def _whole(query: exp.Query, seed: int) -> tuple[str, list[str]]:
    """The finished rows of any query, in order; and the names of its outputs."""
    names = [quoted(name) for name in query.named_selects]
    if query.args.get("order"):
        return _sql(query), names
    return f"SELECT * FROM ({_sql(query)}) AS whole ORDER BY hash(whole, {seed})", names


def _sort(select: exp.Select, items: list[exp.Expr], tie_break: str) -> None:
    """Put expressions for positions in ORDER BY, since the outputs are computed later, and break the ties."""
    order = select.args.get("order")
    for term in order.expressions if order is not None else []:
        if isinstance(term.this, exp.Literal) and not term.this.is_string:
            term.this.replace(items[int(term.this.name) - 1].copy())
    select.order_by(tie_break, copy=False, dialect="duckdb")


def _row_hash(select: exp.Select, seed: int) -> str:
    marks = []
    for source in _sources(select):
        alias = quoted(source.alias_or_name)
        marks.append(f"{alias}.{NUMBER}" if isinstance(source, exp.Table) else alias)
    return f"hash({', '.join(marks)}, {seed})"


def _aliases(select: exp.Select) -> list[str]:
    return [source.alias_or_name for source in _sources(select)]


def _sources(select: exp.Select) -> list[exp.Expr]:
    return [clause.this for clause in (select.args["from_"], *select.args.get("joins", []))]


def _sql(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb")
