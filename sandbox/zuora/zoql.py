"""Reading ZOQL, Zuora's query language: tokenizer, recursive descent, and the tree that comes out.

    query     = "select" name {"," name} "from" name ["where" group {"or" group}]
    group     = condition {"and" condition}
    condition = name operator literal
    operator  = "=" | "!=" | "<" | "<=" | ">" | ">=" | "like"
    literal   = "null" | "true" | "false" | number | quoted text

There are no joins, aggregates, wildcards, parentheses, IN or ORDER BY, and at most 200 conditions
(vendors.md C2; docs.zuora.com, "ZOQL" and "Filter statements"). Keywords may have any case. In a quoted text
a backslash keeps the next character as it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from sandbox.zuora.errors import Fault

MAX_CONDITIONS = 200

Literal: TypeAlias = str | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Query:
    """`where` is an OR of ANDs: "and" binds tighter than "or". No groups: every record."""

    fields: tuple[str, ...]
    object_name: str
    where: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int


_TOKENS = re.compile(
    r"""(?P<space>\s+)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<operator>!=|<=|>=|=|<|>)
      | (?P<comma>,)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_END = "end"


def parse(text: str) -> Query:
    """The query that the text says. Raises Fault MALFORMED_QUERY where it says none."""
    return _Parser(list(_tokens(text))).query()


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None or match.lastgroup is None:
            raise malformed(f"{text[at]!r} at position {at} has no place in it")
        if match.lastgroup != "space":
            yield Token(match.lastgroup, match.group(), at)
        at = match.end()
    yield Token(_END, "", at)


def malformed(what: str) -> Fault:
    return Fault("MALFORMED_QUERY", f"You have an error in your ZOQL syntax: {what}.")


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._conditions = 0

    def query(self) -> Query:
        self._keyword("select")
        fields = [self._name()]
        while self._accept("comma"):
            fields.append(self._name())
        self._keyword("from")
        object_name = self._name()
        where = self._where() if self._accept_keyword("where") else ()
        if self._token.kind != _END:
            raise self._unexpected("the end of the query")
        return Query(tuple(fields), object_name, where)

    def _where(self) -> tuple[tuple[Condition, ...], ...]:
        groups = [self._group()]
        while self._accept_keyword("or"):
            groups.append(self._group())
        return tuple(groups)

    def _group(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._accept_keyword("and"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise malformed(f"it has more than {MAX_CONDITIONS} conditions")
        return Condition(self._name(), self._operator(), self._literal())

    def _operator(self) -> str:
        if self._accept_keyword("like"):
            return "like"
        token = self._token
        if not self._accept("operator"):
            raise self._unexpected("an operator")
        return token.text

    def _literal(self) -> Literal:
        token = self._token
        if self._accept("text"):
            return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
        if self._accept("number"):
            return Decimal(token.text)
        constants: dict[str, Literal] = {"null": None, "true": True, "false": False}
        if token.kind == "word" and token.text.lower() in constants:
            self._next += 1
            return constants[token.text.lower()]
        raise self._unexpected("a quoted text, a number, true, false or null")

    def _name(self) -> str:
        token = self._token
        if not self._accept("word"):
            raise self._unexpected("a name")
        return token.text

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _accept(self, kind: str) -> bool:
        found = self._token.kind == kind
        self._next += found
        return found

    def _accept_keyword(self, word: str) -> bool:
        found = self._token.kind == "word" and self._token.text.lower() == word
        self._next += found
        return found

    def _keyword(self, word: str) -> None:
        if not self._accept_keyword(word):
            raise self._unexpected(f"{word!r}")

    def _unexpected(self, wanted: str) -> Fault:
        token = self._token
        found = "it ends" if token.kind == _END else f"{token.text!r} stands"
        return malformed(f"{found} at position {token.at}, where {wanted} belongs")
