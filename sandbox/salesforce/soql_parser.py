"""SOQL by recursive descent: one method per rule, tokens in, a Query out.

Not supported, and answered with MALFORMED_QUERY: child subqueries, semi-joins, GROUP BY, HAVING, TYPEOF, FIELDS(),
WITH, FOR, USING SCOPE. As in Salesforce, AND and OR at one level need parentheses.
"""

from datetime import date, datetime
from decimal import Decimal

from sandbox.salesforce.errors import MalformedQuery
from sandbox.salesforce.soql_periods import is_period
from sandbox.salesforce.soql_syntax import (
    Aggregate,
    All,
    AnyOf,
    Comparison,
    Condition,
    Like,
    Literal,
    Membership,
    Not,
    OrderKey,
    Path,
    Period,
    Query,
)
from sandbox.salesforce.soql_tokens import Token, like_pattern, tokens, unescaped

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM"})
_COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_AFTER_SOURCE = frozenset({"WHERE", "ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING", "WITH", "FOR", "USING", "ALL"})
_CONSTANTS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}


def parse(text: str) -> Query:
    """MalformedQuery, with the place, where the text is not a query that the simulator answers."""
    return _Parser(tokens(text)).query()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0

    def query(self) -> Query:
        self._expect("SELECT")
        select = self._select_list()
        self._expect("FROM")
        source = self._word()
        alias = self._alias()
        where = self._condition() if self._take("WHERE") else None
        order = self._order_list() if self._take("ORDER") else ()
        limit = self._whole_number() if self._take("LIMIT") else None
        offset_at = self._peek().at
        offset = self._whole_number() if self._take("OFFSET") else 0
        if self._peek().kind != "end":
            raise self._unexpected(self._peek())
        return Query(select, source.text, source.at, alias, where, order, limit, offset, offset_at)

    def _select_list(self) -> tuple[Path | Aggregate, ...]:
        items = [self._select_item()]
        while self._take(","):
            items.append(self._select_item())
        return tuple(items)

    def _select_item(self) -> Path | Aggregate:
        word = self._peek()
        if word.upper in AGGREGATES and self._peek(1).upper == "(":
            return self._aggregate()
        return self._path()

    def _aggregate(self) -> Aggregate:
        function = self._word()
        self._expect("(")
        path = None if self._peek().upper == ")" else self._path()
        if path is None and function.upper != "COUNT":
            raise self._unexpected(self._peek())
        self._expect(")")
        named = self._peek().kind == "word" and self._peek().upper != "FROM"
        alias = self._word().text if named else None
        return Aggregate(function.upper, path, alias, function.at)

    def _alias(self) -> str | None:
        if self._take("AS"):
            return self._word().text
        word = self._peek()
        if word.kind == "word" and word.upper not in _AFTER_SOURCE:
            return self._word().text
        return None

    def _path(self) -> Path:
        first = self._word()
        names = [first.text]
        while self._take("."):
            names.append(self._word().text)
        return Path(tuple(names), first.at)

    def _condition(self) -> Condition:
        first = self._unit()
        parts = [first]
        joiner = self._peek().upper
        while joiner in ("AND", "OR") and self._take(joiner):
            parts.append(self._unit())
        if self._peek().upper in ("AND", "OR"):
            raise self._unexpected(self._peek())
        if len(parts) == 1:
            return first
        return All(tuple(parts)) if joiner == "AND" else AnyOf(tuple(parts))

    def _unit(self) -> Condition:
        if self._take("NOT"):
            return Not(self._unit())
        if self._take("("):
            inside = self._condition()
            self._expect(")")
            return inside
        return self._test()

    def _test(self) -> Condition:
        path = self._path()
        operator = self._advance()
        if operator.upper in _COMPARISONS:
            return Comparison(path, _COMPARISONS[operator.upper], self._literal())
        if operator.upper == "LIKE":
            operand = self._advance()
            if operand.kind != "string":
                raise self._unexpected(operand)
            return Like(path, like_pattern(operand.text, operand.at), operand.at)
        if operator.upper == "IN":
            return Membership(path, self._literal_list(), negated=False)
        if operator.upper == "NOT" and self._take("IN"):
            return Membership(path, self._literal_list(), negated=True)
        raise self._unexpected(operator)

    def _literal_list(self) -> tuple[Literal, ...]:
        self._expect("(")
        literals = [self._literal()]
        while self._take(","):
            literals.append(self._literal())
        self._expect(")")
        return tuple(literals)

    def _literal(self) -> Literal:
        token = self._advance()
        if token.kind == "string":
            return Literal(unescaped(token.text, token.at), token.at)
        if token.kind == "number":
            return Literal(Decimal(token.text), token.at)
        if token.kind in ("date", "datetime"):
            return Literal(_calendar_value(token), token.at)
        if token.upper in _CONSTANTS:
            return Literal(_CONSTANTS[token.upper], token.at)
        if token.kind == "word":
            return Literal(self._period(token), token.at)
        raise self._unexpected(token)

    def _period(self, name: Token) -> Period:
        n = self._whole_number() if self._take(":") else None
        if not is_period(name.upper, n):
            raise self._unexpected(name)
        return Period(name.upper, n)

    def _order_list(self) -> tuple[OrderKey, ...]:
        self._expect("BY")
        keys = [self._order_key()]
        while self._take(","):
            keys.append(self._order_key())
        return tuple(keys)

    def _order_key(self) -> OrderKey:
        path = self._path()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        nulls_last = False
        if self._take("NULLS"):
            nulls_last = self._take("LAST")
            if not nulls_last:
                self._expect("FIRST")
        return OrderKey(path, descending, nulls_last)

    def _whole_number(self) -> int:
        token = self._advance()
        if token.kind != "number" or not token.text.isdecimal():
            raise self._unexpected(token)
        return int(token.text)

    def _word(self) -> Token:
        token = self._advance()
        if token.kind != "word":
            raise self._unexpected(token)
        return token

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected(self._peek())

    def _take(self, text: str) -> bool:
        """Step over the next token where it is this keyword or symbol."""
        if self._peek().upper != text:
            return False
        self._next += 1
        return True

    def _advance(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _unexpected(self, token: Token) -> MalformedQuery:
        return MalformedQuery(f"unexpected token: '{token.text or '<EOF>'}'", token.at)


def _calendar_value(token: Token) -> date | datetime:
    try:
        return date.fromisoformat(token.text) if token.kind == "date" else datetime.fromisoformat(token.text)
    except ValueError:
        raise MalformedQuery(f"Invalid {token.kind}: {token.text}", token.at) from None
