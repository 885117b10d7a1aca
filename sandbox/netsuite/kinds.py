"""Which expressions are dates, moments, numbers or text: the types that Oracle would see."""

from sqlglot import exp

MOMENT = "moment"
"""A date with a time and no zone: what TO_DATE, TO_TIMESTAMP and SYS_EXTRACT_UTC give."""

_DATES = frozenset({"date", "datetime", MOMENT})
_SAME_AS_THIS = (exp.Alias, exp.Paren, exp.Min, exp.Max, exp.Coalesce, exp.Nullif, exp.Add, exp.Sub, exp.Subquery)
_NUMBERS = (exp.Mul, exp.Div, exp.Neg, exp.Mod, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sum, exp.Avg)
_MOMENTS = (exp.CurrentTimestamp, exp.CurrentDate, exp.DateStrToDate)
_MOMENT_FUNCTIONS = frozenset({"TO_DATE", "TO_TIMESTAMP", "SYS_EXTRACT_UTC"})


def mark(node: exp.Expr, kind: str | None) -> exp.Expr:
    """Note the kind of an expression on it; None where it is not known."""
    node.meta["kind"] = kind
    return node


def kind_of(node: exp.Expr | None) -> str | None:
    """One of the column types, MOMENT, or None where nothing depends on it."""
    if node is None:
        return None
    if "kind" in node.meta:
        kind: str | None = node.meta["kind"]
        return kind
    if isinstance(node, _MOMENTS):
        return MOMENT
    if isinstance(node, _NUMBERS) or (isinstance(node, exp.Literal) and not node.is_string):
        return "number"
    if isinstance(node, exp.Anonymous):
        return _kind_of_call(node)
    if isinstance(node, exp.Case):
        first = node.args["ifs"][0]
        return kind_of(first.args.get("true"))
    if isinstance(node, exp.Select):
        return kind_of(node.expressions[0])
    if isinstance(node, _SAME_AS_THIS):
        return kind_of(node.this)
    return None


def is_date(node: exp.Expr | None) -> bool:
    """Whether the expression is a date or a moment of any kind."""
    return kind_of(node) in _DATES


def _kind_of_call(call: exp.Anonymous) -> str | None:
    name = call.name.upper()
    if name in _MOMENT_FUNCTIONS:
        return MOMENT
    if name == "TRUNC" and call.expressions and is_date(call.expressions[0]):
        return MOMENT
    return None
