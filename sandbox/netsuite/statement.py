"""From the text of a query to a syntax tree of the SELECT that SuiteQL understands; everything else is refused.

The simulator is strict where sqlglot is lenient: a client that gets an answer here must not be refused by a real
account for its syntax.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import ClassVar

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.dialects.oracle import Oracle
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.oracle import OracleParser

from sandbox.netsuite.mirror import literal
from sandbox.netsuite.refusals import QueryRefused, RequestRefused

FUNCTIONS = frozenset({"TO_CHAR", "TO_DATE", "TO_TIMESTAMP", "TO_NUMBER", "SYS_EXTRACT_UTC", "TRUNC", "DF"})
"""Functions that are translated by name; those that sqlglot knows are in `_EXPRESSIONS`."""

LONGEST_LIST = 1000
"""Oracle takes at most this many expressions in one IN list."""


class _Parser(OracleParser):
    FUNCTIONS: ClassVar = {k: build for k, build in OracleParser.FUNCTIONS.items() if k not in FUNCTIONS}
    FUNCTION_PARSERS: ClassVar = {k: parse for k, parse in OracleParser.FUNCTION_PARSERS.items() if k not in FUNCTIONS}


class SuiteQL(Oracle):
    """Oracle, except that the date functions keep their masks as written."""

    Parser = _Parser


_CLAUSES: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset(
        {"expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset"}
    ),
    exp.SetOperation: frozenset({"this", "expression", "distinct", "order", "limit", "offset"}),
    exp.Subquery: frozenset({"this", "alias"}),
    exp.Table: frozenset({"this", "alias"}),
    exp.Join: frozenset({"this", "on", "side", "kind"}),
    exp.Group: frozenset({"expressions"}),
    exp.Column: frozenset({"this", "table"}),
    exp.Distinct: frozenset({"expressions"}),
    exp.LimitOptions: frozenset({"rows"}),
}
"""What each clause may be made of; a clause with more is refused."""

_EXPRESSIONS = (
    *(exp.From, exp.TableAlias, exp.Where, exp.Having, exp.Order, exp.Ordered, exp.Fetch, exp.Offset),
    *(exp.Identifier, exp.Alias, exp.Star, exp.Literal, exp.Null, exp.Paren, exp.Tuple, exp.Var, exp.Dot),
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.Between, exp.In, exp.Like, exp.Escape, exp.Is, exp.Exists, exp.Case, exp.If, exp.DecodeCase),
    *(exp.Coalesce, exp.Nullif, exp.Nvl2, exp.Greatest, exp.Least),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Mod, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sign),
    *(exp.DPipe, exp.Concat, exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.StrPosition, exp.Trim),
    *(exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Anonymous),
    *(exp.CurrentTimestamp, exp.CurrentDate, exp.DateStrToDate, exp.Replace),
)
_CLAUSE_STARTS = (TokenType.COMMA, TokenType.FROM, TokenType.WHERE, TokenType.ORDER_BY, TokenType.GROUP_BY)


def parse(text: str, params: Sequence[object]) -> exp.Query:
    """The tree of one SELECT (or of SELECTs joined by UNION, INTERSECT, MINUS), its `?` replaced by `params`.

    Raises QueryRefused for anything else, RequestRefused when the parameters do not fit.
    """
    tokens = _tokens(text)
    bound = _bind(text, tokens, params)
    try:
        trees = [tree for tree in sqlglot.parse(bound, dialect=SuiteQL) if tree is not None]
    except SqlglotError as error:
        raise _malformed(_place(error)) from None
    if len(trees) != 1:
        raise _malformed("Give exactly one statement.")
    tree = trees[0]
    if not isinstance(tree, exp.Select | exp.SetOperation):
        raise _malformed("Only SELECT is allowed.")
    for node in tree.walk():
        _require_known(node)
    return tree


def _tokens(text: str) -> list[Token]:
    try:
        tokens = list(sqlglot.tokenize(text, read=SuiteQL))
    except SqlglotError as error:
        raise _malformed(_place(error)) from None
    for token, after in zip_longest(tokens, tokens[1:]):
        if token.token_type is TokenType.LIMIT:
            raise _malformed("LIMIT is not part of SuiteQL; use FETCH FIRST n ROWS ONLY.")
        if token.token_type in (TokenType.COMMA, TokenType.SELECT) and (
            after is None or after.token_type in _CLAUSE_STARTS
        ):
            raise _malformed(f"An expression is missing after {token.text!r}.")
    return tokens


def _bind(text: str, tokens: Sequence[Token], params: Sequence[object]) -> str:
    marks = [token for token in tokens if token.token_type is TokenType.PLACEHOLDER]
    if len(marks) != len(params):
        raise RequestRefused(
            f"The query has {len(marks)} parameter marks and {len(params)} parameters.", query_param="params"
        )
    for mark, value in reversed(list(zip(marks, params, strict=True))):
        text = text[: mark.start] + _literal(value) + text[mark.end + 1 :]
    return text


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "'T'" if value else "'F'"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, int | float | Decimal):
        return f"({Decimal(str(value)):f})"
    raise RequestRefused("A parameter must be text, a number, true, false or null.", query_param="params")


def _require_known(node: exp.Expr) -> None:
    allowed = next((args for kind, args in _CLAUSES.items() if isinstance(node, kind)), None)
    if allowed is not None:
        extra = [name for name, value in node.args.items() if value and name not in allowed]
        if extra:
            raise _malformed(f"{type(node).__name__} with {', '.join(extra)} is not supported.")
    elif not isinstance(node, _EXPRESSIONS):
        raise _malformed(f"{type(node).__name__} is not supported.")
    if isinstance(node, exp.Anonymous) and node.name.upper() not in FUNCTIONS:
        raise _malformed(f"The function {node.name} is not known.")
    if isinstance(node, exp.In) and len(node.expressions) > LONGEST_LIST:
        raise _malformed(f"A list has at most {LONGEST_LIST} expressions.")


def _place(error: SqlglotError) -> str:
    if isinstance(error, ParseError) and error.errors:
        return f"Line {error.errors[0]['line']}, column {error.errors[0]['col']} is not understood."
    return "The statement is not understood."


def _malformed(reason: str) -> QueryRefused:
    return QueryRefused(f"Invalid or unsupported search. {reason}")
