"""WHERE to a test of a row, and to the span of SystemModstamp outside which no row can pass.

A row either passes or not: null equals null, differs from every value, and is neither below nor above any; so
`!=`, NOT IN and NOT let null pass. Text is compared without its case.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import reduce
from operator import ge, gt, le, lt
from re import Pattern
from typing import Any

from sandbox.salesforce.errors import InvalidField, InvalidFilter
from sandbox.salesforce.fields import KEYS, TEXT, Value
from sandbox.salesforce.soql_columns import Column, Getter, Source
from sandbox.salesforce.soql_literals import Range, operand
from sandbox.salesforce.soql_syntax import All, AnyOf, Comparison, Condition, Like, Membership, Not
from sandbox.salesforce.table import Row

Test = Callable[[Row], bool]

_INEQUALITIES: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True)
class Span:
    """Stamps from `low` to `high`, both included; None is open."""

    low: datetime | None = None
    high: datetime | None = None


@dataclass(frozen=True)
class Filter:
    test: Test
    span: Span


EVERY_ROW = Filter(lambda _row: True, Span())


def bind(condition: Condition, source: Source, today: date) -> Filter:
    """InvalidField or InvalidFilter where a name or a literal does not fit the org."""
    match condition:
        case Comparison():
            return _comparison(condition, source, today)
        case Like():
            return Filter(_like(_text_column(condition, source).get, condition.pattern), Span())
        case Membership():
            return Filter(_membership(condition, source, today), Span())
        case Not(part):
            inner = bind(part, source, today).test
            return Filter(lambda row: not inner(row), Span())
        case All(parts):
            return reduce(_both, [bind(part, source, today) for part in parts])
        case AnyOf(parts):
            return reduce(_either, [bind(part, source, today) for part in parts])


def _comparison(comparison: Comparison, source: Source, today: date) -> Filter:
    column = source.column(comparison.path)
    at, sign = comparison.literal.at, comparison.operator
    if column.field.type == "boolean" and sign in _INEQUALITIES:
        raise InvalidFilter(f"the operator {sign} does not work on the boolean field '{column.field.name}'", at)
    wanted = operand(column.field, comparison.literal, today)
    if wanted is None and column.field.type in KEYS and comparison.literal.value == "" and sign in _INEQUALITIES:
        wanted = ""  # below every id: where a walk by Id starts
    span = _span(sign, wanted) if column.name == "SystemModstamp" else Span()
    if isinstance(wanted, Range):
        return Filter(_against_range(column.get, sign, wanted), span)
    return Filter(_against_value(column.key, sign, wanted), span)


def _against_value(key: Getter, sign: str, wanted: Value) -> Test:
    if sign == "=":
        return lambda row: key(row) == wanted
    if sign == "!=":
        return lambda row: key(row) != wanted
    if wanted is None:
        return lambda _row: False
    compare = _INEQUALITIES[sign]

    def test(row: Row) -> bool:
        value = key(row)
        return value is not None and compare(value, wanted)

    return test


def _against_range(get: Getter, sign: str, wanted: Range) -> Test:
    """Below a range is before its start, above it is at its end or later."""
    start, end = wanted.start, wanted.end
    from_start, to_end = _against_value(get, ">=", start), _against_value(get, "<", end)
    if sign == "=":
        return lambda row: from_start(row) and to_end(row)
    if sign == "!=":
        return lambda row: not (from_start(row) and to_end(row))
    edge = {"<": ("<", start), "<=": ("<", end), ">": (">=", end), ">=": (">=", start)}[sign]
    return _against_value(get, *edge)


def _span(sign: str, wanted: Value | Range) -> Span:
    low = high = wanted if isinstance(wanted, datetime) else None
    if isinstance(wanted, Range) and isinstance(wanted.start, datetime) and isinstance(wanted.end, datetime):
        low, high = (wanted.end if sign == ">" else wanted.start), (wanted.start if sign == "<" else wanted.end)
    return Span(
        low.astimezone(UTC) if low and sign in ("=", ">", ">=") else None,
        high.astimezone(UTC) if high and sign in ("=", "<", "<=") else None,
    )


def _text_column(like: Like, source: Source) -> Column:
    column = source.column(like.path)
    if column.field.type not in TEXT:
        raise InvalidField(f"invalid operator LIKE on the {column.field.type} field '{column.field.name}'", like.at)
    return column


def _like(get: Getter, pattern: Pattern[str]) -> Test:
    def test(row: Row) -> bool:
        value = get(row)
        return isinstance(value, str) and pattern.fullmatch(value) is not None

    return test


def _membership(membership: Membership, source: Source, today: date) -> Test:
    column = source.column(membership.path)
    key, tests, values = column.key, [], set()
    for literal in membership.literals:
        wanted = operand(column.field, literal, today)
        if isinstance(wanted, Range):
            tests.append(_against_range(key, "=", wanted))
        else:
            values.add(wanted)

    def listed(row: Row) -> bool:
        return key(row) in values or any(test(row) for test in tests)

    return (lambda row: not listed(row)) if membership.negated else listed


def _both(left: Filter, right: Filter) -> Filter:
    first, second = left.test, right.test
    span = Span(_later(left.span.low, right.span.low), _earlier(left.span.high, right.span.high))
    return Filter(lambda row: first(row) and second(row), span)


def _either(left: Filter, right: Filter) -> Filter:
    first, second = left.test, right.test
    lows, highs = (left.span.low, right.span.low), (left.span.high, right.span.high)
    low = None if None in lows else _earlier(*lows)
    high = None if None in highs else _later(*highs)
    return Filter(lambda row: first(row) or second(row), Span(low, high))


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other
