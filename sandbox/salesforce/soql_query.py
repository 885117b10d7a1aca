"""A query answered over a view of the org: which rows, in which order, and how each is written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sandbox.salesforce.errors import MalformedQuery, OffsetTooLarge, SoqlError
from sandbox.salesforce.fields import IS_DELETED, NUMBERS, Value
from sandbox.salesforce.org import OrgView
from sandbox.salesforce.soql_columns import Column, Source
from sandbox.salesforce.soql_conditions import EVERY_ROW, Filter, Span, bind
from sandbox.salesforce.soql_parser import parse
from sandbox.salesforce.soql_select import Selection, Writer, totals_writer
from sandbox.salesforce.soql_syntax import Aggregate, OrderKey, Path, Query
from sandbox.salesforce.table import Row, meaningless_order

MOST_OFFSET = 2_000


@dataclass(frozen=True)
class Result:
    """`rows` are not touched by later writes; `writer(version)` gives what turns one of them into JSON text.

    `columns` are what is selected of each row; none where the query only totals.
    """

    total: int
    rows: Sequence[Row]
    writer: Callable[[str], Writer]
    columns: Sequence[Column] = ()


def answer(text: str, view: OrgView, now: datetime, with_deleted: bool = False) -> Result:
    """Run a SOQL query at `now`. SoqlError, which knows the place in the text, where it cannot be answered."""
    try:
        query = parse(text)
        source = Source(query, view)
        condition = bind(query.where, source, now.date()) if query.where else EVERY_ROW
        if not with_deleted:
            condition = _without_deleted(condition)
        return _result(query, source, condition)
    except SoqlError as error:
        raise error.within(text) from None


def _result(query: Query, source: Source, condition: Filter) -> Result:
    if query.offset > MOST_OFFSET:
        raise OffsetTooLarge(f"Maximum SOQL offset allowed is {MOST_OFFSET}", query.offset_at)
    aggregates = [item for item in query.select if isinstance(item, Aggregate)]
    if aggregates:
        return _aggregated(query, source, condition, aggregates)
    columns = _columns(query, source)
    rows = list(_ordered(query, source, condition))
    selection = Selection(source.table.shape, columns)
    return Result(len(rows), rows, selection.writer, columns)


def _columns(query: Query, source: Source) -> list[Column]:
    columns: dict[str, Column] = {}
    for item in query.select:
        assert isinstance(item, Path)
        column = source.column(item)
        if column.name in columns:
            raise MalformedQuery(f"duplicate field selected: {item}", item.at)
        columns[column.name] = column
    return list(columns.values())


def _ordered(query: Query, source: Source, condition: Filter) -> Iterator[Row]:
    """The rows asked for. Where the query orders by SystemModstamp, Id the table's own order answers it."""
    end = None if query.limit is None else query.offset + query.limit
    keys = [(source.column(key.path), key) for key in query.order]
    table, span = source.table, condition.span
    if [_plain_name(*pair) for pair in keys[:2]] == ["SystemModstamp", "Id"]:
        return islice(filter(condition.test, table.stamped(span.low, span.high)), query.offset, end)
    if not keys and span == Span():
        return islice(filter(condition.test, table.shuffled), query.offset, end)
    rows = list(filter(condition.test, table.stamped(span.low, span.high)))
    rows.sort(key=meaningless_order)
    for column, key in reversed(keys):
        rows.sort(key=_sort_key(column, key), reverse=key.descending)
    return islice(rows, query.offset, end)


def _plain_name(column: Column, key: OrderKey) -> str | None:
    return None if key.descending else column.name


def _sort_key(column: Column, order: OrderKey) -> Callable[[Row], Any]:
    """Nulls first unless NULLS LAST says otherwise, in either direction."""
    value_of = column.key
    null_above = order.nulls_last != order.descending

    def key(row: Row) -> tuple[bool, Value]:
        value = value_of(row)
        return (value is None) == null_above, value

    return key


def _aggregated(query: Query, source: Source, condition: Filter, aggregates: list[Aggregate]) -> Result:
    for item in query.select:
        if isinstance(item, Path):
            raise MalformedQuery(f"Field must be grouped or aggregated: {item}", item.at)
    if query.order:
        raise MalformedQuery("ORDER BY is not allowed with an aggregate of all rows", query.order[0].path.at)
    rows = list(filter(condition.test, source.table.stamped(condition.span.low, condition.span.high)))
    if any(aggregate.path is None for aggregate in aggregates):
        return _bare_count(query, len(rows), aggregates)
    names = [aggregate.alias or f"expr{place}" for place, aggregate in enumerate(aggregates)]
    totals = tuple(_total(aggregate, source, rows) for aggregate in aggregates)
    return Result(1, [totals], lambda _version: totals_writer(names))


def _bare_count(query: Query, count: int, aggregates: list[Aggregate]) -> Result:
    """SELECT COUNT(): the number is totalSize, and there are no records."""
    if len(aggregates) > 1:
        raise MalformedQuery("COUNT() must be the only element in the SELECT list", aggregates[1].at)
    total = max(0, count - query.offset)
    return Result(total if query.limit is None else min(total, query.limit), [], lambda _version: totals_writer([]))


def _total(aggregate: Aggregate, source: Source, rows: list[Row]) -> Value:
    """Nulls are left out; MIN, MAX and SUM of nothing are null."""
    assert aggregate.path is not None
    column = source.column(aggregate.path)
    found: list[Any] = [value for row in rows if (value := column.get(row)) is not None]
    match aggregate.function:
        case "COUNT":
            return len(found)
        case "COUNT_DISTINCT":
            return len({column.key(row) for row in rows} - {None})
        case "SUM":
            if column.field.type not in NUMBERS:
                raise MalformedQuery(f"field {column.name} does not support aggregate operator SUM", aggregate.at)
            return sum(found) if found else None
        case _:
            chosen: Value = (min if aggregate.function == "MIN" else max)(found, default=None)
            return chosen


def _without_deleted(condition: Filter) -> Filter:
    test = condition.test
    return Filter(lambda row: not row[IS_DELETED] and test(row), condition.span)
