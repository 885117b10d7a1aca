"""From a resolved SuiteQL tree to the DuckDB tree that answers it.

Datetime columns are TIMESTAMPTZ, in the session zone; TO_DATE, TO_TIMESTAMP and SYS_EXTRACT_UTC give TIMESTAMP
without a zone. Where the two meet, DuckDB reads the latter in the session zone, and takes the later of two readings
in the hour that a clock change repeats, as Oracle takes standard time.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import sqlglot
from sqlglot import exp

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.displays import display_sql
from sandbox.netsuite.kinds import MOMENT, is_date, kind_of, mark
from sandbox.netsuite.masks import DISPLAY_FORMATS, strftime_of
from sandbox.netsuite.mirror import NUMBER_TEXT, quoted
from sandbox.netsuite.refusals import QueryRefused
from sandbox.netsuite.rownum import number_rows

_DAY_US = 86_400_000_000
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


class Translator:
    """Translates for one account at one moment; `schema` holds the tables that may be read."""

    def __init__(self, account: NetSuiteAccount, schema: Mapping[str, Mapping[str, str]]) -> None:
        self._display = DISPLAY_FORMATS[account.date_format]
        self._now = account.clock().astimezone(account.session_zone).replace(tzinfo=None, microsecond=0)
        self._schema = schema
        self._calls: Mapping[str, Callable[[Sequence[exp.Expr]], exp.Expr]] = {
            "TO_CHAR": self._to_char,
            "TO_DATE": self._to_date,
            "TO_TIMESTAMP": self._to_date,
            "TO_NUMBER": lambda args: exp.cast(args[0], "DECIMAL(28,10)"),
            "SYS_EXTRACT_UTC": _utc,
            "TRUNC": _trunc,
        }

    def translate(self, query: exp.Query) -> None:
        """Rewrite the tree in place, children before parents."""
        for node in reversed(list(query.walk(bfs=True))):
            new = self._rewritten(node)
            if new is not None and new is not node:
                node.replace(new)

    def _rewritten(self, node: exp.Expr) -> exp.Expr | None:
        if isinstance(node, exp.Select):
            number_rows(node)
        elif isinstance(node, exp.Literal) and node.is_string and node.name == "":
            return exp.Null()
        elif isinstance(node, exp.Anonymous) and not isinstance(node.parent, exp.Dot):
            return self._call(node)
        elif isinstance(node, exp.Dot):
            return self._display_of(node)
        elif isinstance(node, exp.DPipe | exp.Concat):
            return _joined(node)
        elif isinstance(node, exp.Add | exp.Sub):
            return _moved(node)
        elif isinstance(node, exp.CurrentTimestamp | exp.CurrentDate):
            return _moment(self._now)
        elif isinstance(node, exp.DateStrToDate):
            return mark(exp.cast(node.this, "TIMESTAMP"), MOMENT)
        else:
            self._read_dates(node)
        return None

    def _read_dates(self, node: exp.Expr) -> None:
        """Text beside a date is read in the account's format, as the account reads it."""
        if isinstance(node, _COMPARISONS):
            sides = [node.this, node.expression]
        elif isinstance(node, exp.Between):
            sides = [node.this, node.args["low"], node.args["high"]]
        elif isinstance(node, exp.In):
            sides = [node.this, *node.expressions]
        else:
            return
        if any(is_date(side) for side in sides):
            for side in sides:
                if isinstance(side, exp.Literal) and side.is_string:
                    side.replace(_read(side, self._display))

    def _call(self, node: exp.Anonymous) -> exp.Expr:
        build = self._calls.get(node.name.upper())
        if build is None or not node.expressions:
            raise QueryRefused(f"Invalid or unsupported search. {node.name} cannot be called like that.")
        return build(node.expressions)

    def _to_char(self, args: Sequence[exp.Expr]) -> exp.Expr:
        if is_date(args[0]):
            mask = _mask_of(args[1]) if len(args) > 1 else self._display
            return mark(_function("strftime", args[0], exp.Literal.string(mask)), "text")
        if len(args) > 1:
            raise QueryRefused("Invalid or unsupported search. TO_CHAR with a mask takes a date.")
        return mark(_plain_text(args[0]), "text")

    def _to_date(self, args: Sequence[exp.Expr]) -> exp.Expr:
        mask = _mask_of(args[1]) if len(args) > 1 else self._display
        return _read(args[0], mask)

    def _display_of(self, node: exp.Dot) -> exp.Expr:
        """BUILTIN.DF; no other function of BUILTIN is known."""
        call = node.expression
        column = call.expressions[0] if isinstance(call, exp.Anonymous) and call.expressions else None
        if node.this.name.upper() != "BUILTIN" or call.name.upper() != "DF" or not isinstance(column, exp.Column):
            raise QueryRefused("Invalid or unsupported search. Only BUILTIN.DF(column) is known.")
        if is_date(column):
            return column
        table = str(column.meta.get("source"))
        value = column.sql(dialect="duckdb")
        sql = display_sql(table, column.name, value, f"{quoted(column.table)}.type", self._schema)
        return mark(sqlglot.parse_one(sql, dialect="duckdb"), "text")


def _function(name: str, *args: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(args))


def _read(text: exp.Expr, mask: str) -> exp.Expr:
    """The moment that a text means. A literal is read at once, so that a bad one is refused without any rows."""
    if not isinstance(text, exp.Literal):
        return mark(_function("strptime", text, exp.Literal.string(mask)), MOMENT)
    try:
        return _moment(datetime.strptime(text.name, mask.replace("%-", "%")))  # noqa: DTZ007 - it has no zone
    except ValueError:
        raise QueryRefused(f"Search error occurred: '{text.name}' does not fit the date format.") from None


def _moment(value: datetime) -> exp.Expr:
    return mark(exp.cast(exp.Literal.string(value.isoformat(sep=" ")), "TIMESTAMP"), MOMENT)


def _utc(args: Sequence[exp.Expr]) -> exp.Expr:
    instant = args[0] if kind_of(args[0]) == "datetime" else exp.cast(args[0], "TIMESTAMPTZ")
    return mark(_function("make_timestamp", _function("epoch_us", instant)), MOMENT)


def _trunc(args: Sequence[exp.Expr]) -> exp.Expr:
    if len(args) > 1:
        raise QueryRefused("Invalid or unsupported search. TRUNC is known with one argument.")
    if is_date(args[0]):
        day = _function("date_trunc", exp.Literal.string("day"), exp.cast(args[0], "TIMESTAMP"))
        return mark(exp.cast(day, "TIMESTAMP"), MOMENT)
    return _function("trunc", args[0])


def _joined(node: exp.Expr) -> exp.Expr:
    """Text put together: null counts as empty, and empty is null."""
    parts = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    text = _function("concat", *(_plain_text(part) for part in parts))
    return mark(_function("nullif", text, exp.Literal.string("")), "text")


def _plain_text(node: exp.Expr) -> exp.Expr:
    """Numbers without the zeros of their scale; everything else as it is cast."""
    return _function(NUMBER_TEXT, node) if kind_of(node) == "number" else exp.cast(node, "VARCHAR")


def _moved(node: exp.Expr) -> exp.Expr | None:
    """A date plus or minus days, which may be fractions."""
    if not is_date(node.this):
        return None
    if is_date(node.expression):
        raise QueryRefused("Invalid or unsupported search. The difference of two dates is not supported.")
    days = exp.Mul(this=exp.paren(node.expression), expression=exp.Literal.number(_DAY_US))
    span = _function("to_microseconds", exp.cast(days, "BIGINT"))
    kind = kind_of(node.this)
    return mark(type(node)(this=node.this, expression=span), kind if kind == "datetime" else MOMENT)


def _mask_of(node: exp.Expr) -> str:
    if not isinstance(node, exp.Literal) or not node.is_string:
        raise QueryRefused("Invalid or unsupported search. A date mask is a text literal.")
    try:
        return strftime_of(node.name)
    except ValueError as error:
        raise QueryRefused(f"Invalid or unsupported search. {error}") from None
