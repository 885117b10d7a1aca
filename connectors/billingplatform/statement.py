"""Statements in BillingPlatform's SQL: what a page of an object is asked with, and the records that its rows are.

All values come as text, under names whose letter case follows the statement's; a field of a related record
(`BillingProfileIdObj.CurrencyCode`) comes under its whole path (vendors.md C1). Timestamps name no zone and their
grain is not published, so stamps are compared and ordered as the text that the statement itself makes of them: then a
row is never both equal to the cursor and after it, whatever the column holds behind the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from books.columns import Kind
from connectors.billingplatform.answers import Row
from connectors.contract import Record
from connectors.fields import Field
from connectors.mapping import ObjectMapping

_INSTANT, _DAY = "YYYY-MM-DD HH24:MI:SS", "YYYY-MM-DD"
STAMP = "record_stamp"


@dataclass(frozen=True)
class Statement:
    """A SELECT in parts. `key` is a column that no row lacks.

    Besides the columns it asks for `marked`, under a name of its own: so an answer that was given to another statement
    is not taken for the one to this.
    """

    columns: str
    source: str
    key: str
    tail: str = ""
    marked: str = ""

    @property
    def text(self) -> str:
        columns = f"{self.columns}, " if self.columns else ""
        return f"SELECT {columns}{self.marked or self.key} AS {self.mark} {self.source}{self.tail}"

    @cached_property
    def mark(self) -> str:
        """The name under which `marked`, or else the key, comes."""
        whole = f"{self.columns} {self.marked} {self.source}{self.tail}"
        return f"key_{crc32(whole.encode()):08x}"

    @property
    def counting(self) -> "Statement":
        """How many rows there are without the tail; it answers with one row in any case."""
        return Statement("", self.source, self.key, marked=f"COUNT({self.key})")


class Select:
    """The statements that read some fields of an object, and the records that their rows are.

    A field is a column of the object, a path through its relations, a column of the joined entity, or an expression.
    """

    def __init__(self, mapped: ObjectMapping, fields: Sequence[str], zone: ZoneInfo) -> None:
        self.name = mapped.name
        self._mapped = mapped
        self._fields = [Field(name) for name in fields]
        self._zone = zone
        self.key = self.sql(mapped.key[0])
        self.raw_stamp = self.sql(mapped.modified) if mapped.modified else ""
        self.stamp = f"TO_CHAR({self.raw_stamp}, '{_INSTANT}')"
        columns = [self._column(n, f) for n, f in enumerate(self._fields)]
        columns += [f"{self.stamp} AS {STAMP}"] if self.raw_stamp else []
        self._columns = ", ".join(columns)
        self._plan = [
            (
                f"f{n}",
                f.path.lower(),
                f.path.split(".") if f.nested else [f.path],
                mapped.kind_of(f.path) is Kind.INSTANT,
            )
            for n, f in enumerate(self._fields)
        ]

    def page(self, conditions: Sequence[str], order: str, rows: int) -> Statement:
        """The first `rows` rows, in that order, that meet the conditions and the mapping's filter."""
        tail = f" ORDER BY {order} OFFSET 0 ROWS FETCH NEXT {rows} ROWS ONLY"
        return Statement(self._columns, self.source(conditions), self.key, tail)

    def source(self, conditions: Sequence[str]) -> str:
        """FROM and WHERE."""
        join, own = self._mapped.join, self._mapped.filter
        joined = f" INNER JOIN {join.table} {join.name} ON {join.on}" if join else ""
        every = [*conditions, *([f"({own})"] if own else [])]
        where = f" WHERE {' AND '.join(every)}" if every else ""
        return f"FROM {self._mapped.name}{joined}{where}"

    def after(self, at: str, key: str) -> str:
        """The condition for what comes after a cursor: from `at` on where `key` is empty, all that have a stamp
        without `at`."""
        if not at:
            return f"{self.raw_stamp} IS NOT NULL"
        if not key:
            return f"{self.stamp} >= '{at}'"
        return f"({self.stamp} > '{at}' OR ({self.stamp} = '{at}' AND {self.key} > {literal(key)}))"

    def record(self, row: Row) -> Record:
        """The row, by names in lower case, under the mapping's; instants in UTC, columns without a value absent."""
        record: dict[str, Any] = {}
        for column, name, way, is_instant in self._plan:
            value = row.get(column, row.get(name))
            if value is not None and value != "":
                into = record
                for step in way[:-1]:
                    into = into.setdefault(step, {})
                into[way[-1]] = in_utc(str(value), self._zone) if is_instant else value
        return record

    def _column(self, n: int, name: Field) -> str:
        sql, kind = self.sql(name), self._mapped.kind_of(name.path)
        if kind in (Kind.INSTANT, Kind.DATE):
            return f"TO_CHAR({sql}, '{_INSTANT if kind is Kind.INSTANT else _DAY}') AS f{n}"
        return sql if self._is_relation(name) else f"{sql} AS f{n}"

    def _is_relation(self, name: Field) -> bool:
        join = self._mapped.join
        return name.nested and not (join and name.path.startswith(f"{join.name}."))

    def sql(self, name: Field) -> str:
        """A bare column belongs to the object itself, of which a joined entity may have a namesake."""
        bare = "." not in name.path and "(" not in name.path
        return f"{self._mapped.name}.{name.path}" if bare and self._mapped.join else name.path


def literal(value: str) -> str:
    """A key as SQL: a number where it is one, as ids are."""
    if value.isascii() and value.isdecimal():
        return value
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def local(moment: datetime, zone: ZoneInfo) -> str:
    """The earliest text that a stamp from `moment` on can have in `zone`.

    Before clocks go back, texts go back with them: within a day of that, the text is so much earlier.
    """
    there, later = moment.astimezone(zone), (moment + timedelta(days=1)).astimezone(zone)
    back = (there.utcoffset() or timedelta(0)) - (later.utcoffset() or timedelta(0))
    return f"{there.replace(tzinfo=None) - max(back, timedelta(0)):%Y-%m-%d %H:%M:%S}"


def in_utc(text: str, zone: ZoneInfo) -> str:
    """An instant without a zone as one in UTC, the earlier where clocks repeat it; other text stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
