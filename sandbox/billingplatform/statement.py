"""From a statement in the organisation's SQL to the SQLite statement that answers it.

What is known: one SELECT without `*` over entities that are joined by ON, relations (`AccountTypeIdObj.AccountType`),
ROWNUM against a number, OFFSET and FETCH, and the common functions. A nested query is refused: the vendor takes some,
but does not publish how its answer looks. So the simulator never answers what the vendor would not.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from sandbox.billingplatform.organisation import Organisation
from sandbox.billingplatform.refusals import BadRequest
from sandbox.billingplatform.scope import Scope
from sandbox.billingplatform.values import FORMAT
from sandbox.netsuite.statement import LONGEST_LIST, SuiteQL

MOST_ROWS = 10_000
_CALLS = frozenset({"TO_CHAR", "TO_DATE", "TO_TIMESTAMP"})
_KNOWN = (
    *(exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order),
    *(exp.Ordered, exp.Fetch, exp.LimitOptions, exp.Offset, exp.Distinct, exp.Identifier, exp.Column, exp.Alias),
    *(exp.Literal, exp.Null, exp.Paren, exp.Tuple, exp.Var, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT),
    *(exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Like, exp.Is, exp.Case, exp.If, exp.Coalesce, exp.Nvl2),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs, exp.Round, exp.DPipe, exp.Lower, exp.Upper, exp.Length),
    *(exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.CurrentTimestamp, exp.Anonymous, exp.Dot),
)


@dataclass(frozen=True)
class Translated:
    """`names` are the keys of the answer's rows, as the statement writes them."""

    sql: str
    names: Sequence[str]


def translated(organisation: Organisation, text: str) -> Translated:
    """The statement in SQLite's words. Raises Refusal."""
    select = _parsed(text)
    scope = Scope(organisation, select)
    names = [_name(item, scope) for item in select.expressions]
    last = _taken_rownum(select)
    for column in list(select.find_all(exp.Column)):
        column.replace(scope.resolved(column))
    _put_nulls_for_empty(select)
    _put_now(select, organisation)
    if last is not None:
        _cut_first(select, last)
    else:
        _scatter(select, zlib.crc32(text.encode()))
    _cap(select)
    return Translated(select.sql(dialect="sqlite"), names)


def _parsed(text: str) -> exp.Select:
    try:
        if any(token.token_type is TokenType.LIMIT for token in sqlglot.tokenize(text, read=SuiteQL)):
            raise BadRequest("Invalid query: LIMIT is not part of the language; use FETCH NEXT n ROWS ONLY.")
        trees = [tree for tree in sqlglot.parse(text, dialect=SuiteQL) if tree is not None]
    except SqlglotError:
        raise BadRequest("Invalid query: the statement is not understood.") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Select) or not trees[0].args.get("from_"):
        raise BadRequest("Invalid query: give one SELECT with its FROM.")
    for node in trees[0].walk():
        _require_known(node)
    return trees[0]


def _require_known(node: exp.Expr) -> None:
    counted = isinstance(node, exp.Star) and isinstance(node.parent, exp.Count)
    if not (counted or isinstance(node, _KNOWN)) or (
        isinstance(node, exp.Anonymous) and node.name.upper() not in _CALLS
    ):
        raise BadRequest(f"Invalid query: {node.name or type(node).__name__} is not supported.")
    if isinstance(node, exp.In) and len(node.expressions) > LONGEST_LIST:
        raise BadRequest(f"ORA-01795: maximum number of expressions in a list is {LONGEST_LIST}.")
    if isinstance(node, exp.Join) and (not node.args.get("on") or node.side not in ("", "LEFT")):
        raise BadRequest("Invalid query: entities are joined by INNER JOIN or LEFT JOIN with ON.")


def _name(item: exp.Expr, scope: Scope) -> str:
    """The key of a value: its alias, or the column as written, a relation with its dot."""
    if item.alias:
        return str(item.alias)
    if isinstance(item, exp.Column):
        return ".".join(scope.path(item)[1])
    return item.sql(dialect="oracle").upper()


def _taken_rownum(select: exp.Select) -> int | None:
    """The last row that ROWNUM lets through, with its terms taken out of WHERE; None without any."""
    where = select.args.get("where")
    terms = list(_terms(where.this)) if where else []
    limits = [term for term in terms if any(column.name.upper() == "ROWNUM" for column in term.find_all(exp.Column))]
    if not limits:
        return None
    rest = [term for term in terms if not any(term is limit for limit in limits)]
    select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)
    return min(map(_last_row, limits))


def _terms(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.And):
        yield from _terms(node.left)
        yield from _terms(node.right)
    elif isinstance(node, exp.Paren) and isinstance(node.this, exp.And):
        yield from _terms(node.this)
    else:
        yield node


def _last_row(term: exp.Expr) -> int:
    bound = term.expression if isinstance(term, exp.LT | exp.LTE | exp.EQ) else None
    if isinstance(term.this, exp.Column) and isinstance(bound, exp.Literal) and bound.name.isdecimal():
        count = int(bound.name)
        if isinstance(term, exp.EQ):
            return 1 if count == 1 else 0
        return count - 1 if isinstance(term, exp.LT) else count
    raise BadRequest("Invalid query: ROWNUM is compared with a number by <, <= or =, joined by AND.")


def _cut_first(select: exp.Select, last: int) -> None:
    """ROWNUM counts before anything is ordered or grouped."""
    if select.args.get("joins"):
        raise BadRequest("Invalid query: ROWNUM with a join is not supported here.")
    source = select.args["from_"].this
    found = exp.select("*").from_(source.copy()).limit(last)
    found.set("where", select.args.get("where"))
    select.set("where", None)
    select.set("from_", exp.From(this=found.subquery(exp.to_identifier(source.alias_or_name, quoted=True))))


def _put_nulls_for_empty(select: exp.Select) -> None:
    for literal in list(select.find_all(exp.Literal)):
        if literal.is_string and not literal.name:
            literal.replace(exp.Null())


def _put_now(select: exp.Select, organisation: Organisation) -> None:
    now = organisation.clock().astimezone(organisation.zone).strftime(FORMAT)
    for call in list(select.find_all(exp.CurrentTimestamp)):
        call.replace(exp.Literal.string(now))


def _scatter(select: exp.Select, seed: int) -> None:
    """Put rows that ORDER BY leaves tied into an order of their own for every statement."""
    if select.args.get("group") or select.args.get("distinct") or select.find(exp.AggFunc):
        return
    key = exp.column("Id", table=select.args["from_"].this.alias_or_name, quoted=True)
    place = exp.Anonymous(this="SCATTER", expressions=[key, exp.Literal.number(seed)])
    select.order_by(place, copy=False)


def _cap(select: exp.Select) -> None:
    fetch, offset = select.args.get("limit"), select.args.get("offset")
    wanted = int(fetch.args["count"].name) if isinstance(fetch, exp.Fetch) else MOST_ROWS
    if wanted > MOST_ROWS:
        raise BadRequest(f"Invalid query: a page has at most {MOST_ROWS} rows.")
    skipped = int(offset.expression.name) if offset else 0
    select.set("limit", exp.Limit(expression=exp.Literal.number(wanted)))
    select.set("offset", exp.Offset(expression=exp.Literal.number(skipped)))
