"""SOQL text to tokens. Dates and datetimes stand unquoted in SOQL, so they are tokens of their own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.salesforce.errors import MalformedQuery

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<half_datetime>\d{4}-\d\d-\d\dT[\d:.]*)
  | (?P<date>\d{4}-\d\d-\d\d(?!\w))
  | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w))
  | (?P<word>[A-Za-z]\w*)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<symbol><=|>=|!=|<>|[=<>(),.:*])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}


@dataclass(frozen=True)
class Token:
    """`kind` is word, string, number, date, datetime, symbol or end; `at` is the offset in the query text."""

    kind: str
    text: str
    at: int

    @property
    def upper(self) -> str:
        """The text by which keywords and symbols are recognised; a quoted string is none of them."""
        return "" if self.kind == "string" else self.text.upper()


def tokens(text: str) -> list[Token]:
    """The tokens of a query, the last one of kind `end`. MalformedQuery where the text is not SOQL at all."""
    return [*_scan(text), Token("end", "", len(text))]


def unescaped(quoted: str, at: int) -> str:
    """The value of a quoted string with its escapes resolved."""
    return _ESCAPE.sub(lambda match: _escaped(match[1], at), quoted[1:-1])


def like_pattern(quoted: str, at: int) -> re.Pattern[str]:
    r"""The pattern of a LIKE operand: % and _ are wildcards, \% and \_ are themselves, case is ignored."""
    wildcards = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|[^\\]", quoted[1:-1], re.DOTALL)
    regex = "".join(
        re.escape(_escaped(part[1], at)) if len(part) == 2 else wildcards.get(part, re.escape(part)) for part in parts
    )
    return re.compile(regex, re.IGNORECASE | re.DOTALL)


def _escaped(letter: str, at: int) -> str:
    if letter not in _ESCAPES:
        raise MalformedQuery(f"Invalid string literal: illegal escape sequence '\\{letter}'", at)
    return _ESCAPES[letter]


def _scan(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup == "half_datetime":
            stop = match.end() if match else at
            found = f"'{text[stop]}'" if stop < len(text) else "'<EOF>'"
            raise MalformedQuery(f"line 1:{stop} no viable alternative at character {found}", stop)
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0], at)
        at = match.end()
