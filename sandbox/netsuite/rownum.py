"""ROWNUM: rows are numbered as they are found, before they are sorted (vendors.md B7)."""

from sqlglot import exp

from sandbox.netsuite.kinds import kind_of
from sandbox.netsuite.names import ROWNUM
from sandbox.netsuite.refusals import QueryRefused


def number_rows(select: exp.Select) -> None:
    """Replace ROWNUM in a resolved SELECT by DuckDB's row_number, and its limits in WHERE by QUALIFY.

    Only the forms that Oracle gives a sense to are known: ROWNUM against a number in a term joined by AND.
    """
    if not any(_is_rownum(column) for column in _own_columns(select)):
        return
    where = select.args.get("where")
    terms = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else [where.this] if where else []
    limits = [term for term in terms if any(_is_rownum(column) for column in term.find_all(exp.Column))]
    rest = [term for term in terms if not any(term is limit for limit in limits)]
    if limits:
        select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)
    highest = min(map(_highest, limits), default=None)
    if select.args.get("group") or select.args.get("distinct") or _aggregates(select):
        _cut_before_grouping(select, highest)
    elif highest is not None:
        last = exp.LTE(this=_row_number(), expression=exp.Literal.number(highest))
        select.set("qualify", exp.Qualify(this=last))
    for column in [column for column in _own_columns(select) if _is_rownum(column)]:
        column.replace(_row_number())


def _cut_before_grouping(select: exp.Select, highest: int | None) -> None:
    if highest is None or select.args.get("joins") or any(map(_is_rownum, _own_columns(select))):
        raise QueryRefused("Invalid or unsupported search. ROWNUM with aggregates limits one table in WHERE.")
    source = select.args["from_"].this
    found = exp.select("*").from_(source.copy()).limit(highest)
    found.set("where", select.args.get("where"))
    select.set("where", None)
    select.set("from_", exp.From(this=found.subquery(exp.to_identifier(source.alias_or_name, quoted=True))))


def _own_columns(select: exp.Select) -> list[exp.Column]:
    return [column for column in select.find_all(exp.Column) if column.find_ancestor(exp.Select) is select]


def _aggregates(select: exp.Select) -> list[exp.Expr]:
    return [call for call in select.find_all(exp.AggFunc) if call.find_ancestor(exp.Select) is select]


def _is_rownum(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and kind_of(node) == ROWNUM


def _highest(term: exp.Expr) -> int:
    """The last row number that the term lets through; 0 where no row can ever be the first."""
    if isinstance(term, exp.Paren):
        return _highest(term.this)
    if isinstance(term, exp.Between) and _is_rownum(term.this):
        return _value(term.args["high"]) if _value(term.args["low"]) <= 1 else 0
    if isinstance(term, exp.LT | exp.LTE | exp.EQ | exp.GT | exp.GTE):
        if _is_rownum(term.this):
            return _highest_of(type(term), _value(term.expression))
        if _is_rownum(term.expression):
            return _highest_of(_MIRRORED[type(term)], _value(term.this))
    raise QueryRefused("Invalid or unsupported search. Compare ROWNUM with a number, joined by AND.")


_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}
_ALL = (1 << 63) - 1


def _highest_of(comparison: type[exp.Expr], bound: int) -> int:
    match comparison:
        case exp.LT:
            return bound - 1
        case exp.LTE:
            return bound
        case exp.EQ:
            return 1 if bound == 1 else 0
        case exp.GT:
            return _ALL if bound < 1 else 0
        case _:
            return _ALL if bound <= 1 else 0


def _value(node: exp.Expr) -> int:
    bare = node.unnest()
    if isinstance(bare, exp.Literal) and not bare.is_string and bare.name.isdecimal():
        return int(bare.name)
    raise QueryRefused("Invalid or unsupported search. ROWNUM is compared with a whole number.")


def _row_number() -> exp.Expr:
    return exp.Window(this=exp.RowNumber())
