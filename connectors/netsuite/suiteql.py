"""SuiteQL: the statement for a page of an object, and the call that runs it (vendors.md B7).

Rows hold texts under lower-case names and leave null columns out. Days and instants come in the integration user's
format unless the statement converts them, so it always does; instants are compared in UTC, as the text that the
statement itself made of them, which also holds in the hour that a clock change repeats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from books.columns import Kind
from connectors.contract import Record
from connectors.errors import ConnectorError, LoginRefused, NotVisible, PermanentError, SchemaChanged, TransientError
from connectors.fields import Field
from connectors.http import Answer
from connectors.mapping import ObjectMapping
from connectors.netsuite.session import Session
from connectors.retries import RetryPolicy

PAGE = 1_000
PATH = "/services/rest/query/v1/suiteql"
_UTC_MASK = "YYYY-MM-DD HH24:MI:SS"
Row = dict[str, str]
_LOST: Mapping[str, type[SchemaChanged]] = {"was not found": NotVisible, "Unknown identifier": SchemaChanged}


@dataclass(frozen=True)
class Statement:
    """What is asked, and a column that no row of the answer lacks: named so that no other statement has it."""

    text: str
    mark: str

    @classmethod
    def marked(cls, columns: str, value: str, rest: str) -> "Statement":
        """SELECT the columns, and the value under a name of its own: the answer to another statement has it not."""
        mark = f"k{crc32(f'{columns} {value} {rest}'.encode()):08x}"
        return cls(f"SELECT {columns}{', ' if columns else ''}{value} AS {mark}{rest}", mark)


@dataclass(frozen=True)
class Rows:
    """Rows of a page, and whether others may follow: the account says so, or the page is full."""

    rows: list[Row]
    more: bool


class SuiteQL:
    """Runs statements, each repeated as the policy says. Only the first page of a result is ever asked for."""

    def __init__(self, session: Session, retries: RetryPolicy, page_size: int = PAGE) -> None:
        self._session = session
        self._retries = retries
        self._page_size = page_size

    def page(self, statement: Statement) -> Rows:
        """The first page of a statement's rows. Raises SchemaChanged for a table or column that is not visible."""
        return self._retries.call(lambda: self._once(statement), self._session.wire.system)

    def _once(self, statement: Statement) -> Rows:
        answer = self._session.send(
            "POST",
            PATH,
            json={"q": statement.text},
            params={"limit": str(self._page_size), "offset": "0"},
            headers={"Prefer": "transient"},
        )
        if not answer.ok:
            raise refusal(self._session.wire.system, answer)
        body: dict[str, Any] = answer.body if isinstance(answer.body, dict) else {}
        items = body.get("items")
        if not isinstance(items, list):
            raise TransientError(f"{self._session.wire.system} answered a query without rows.")
        if not all(isinstance(row, dict) and statement.mark in row for row in items):
            raise TransientError(f"{self._session.wire.system} answered a query with the rows of another one.")
        more = body.get("hasMore") is True
        if body.get("count", len(items)) != len(items) or (more and not items):
            raise TransientError(f"{self._session.wire.system} answered a query with fewer rows than it says.")
        return Rows(items, more or len(items) >= self._page_size)


def refusal(system: str, answer: Answer) -> ConnectorError:
    """What a refused statement means. A table or column that is not there is a permission that was lost, not an
    empty table."""
    body = answer.body if isinstance(answer.body, dict) else {}
    details = body.get("o:errorDetails") or [{}]
    first: dict[str, Any] = details[0] if isinstance(details, list) and isinstance(details[0], dict) else {}
    detail = " ".join(str(first.get("detail") or body.get("title") or "no reason given").split())[:400]
    sentence = f"{system} refused a query with HTTP {answer.status}: {detail}"
    if answer.status == 400:
        for sign, kind in _LOST.items():
            if sign in detail:
                return kind(f"{sentence} The role lost a permission, or a field was removed or renamed.")
    return LoginRefused(sentence) if answer.status == 403 else PermanentError(sentence)


class Select:
    """The statements that read some fields of an object. Fields are SQL expressions over its table."""

    def __init__(self, mapped: ObjectMapping, fields: Sequence[str]) -> None:
        self._mapped = mapped
        self._fields = [Field(name) for name in fields]
        self._key = self._sql(mapped.key[0])
        self.stamp = self._sql(mapped.modified) if mapped.modified else ""
        self.key_order = f"{self._key} ASC"
        self.order = f"{_utc(self.stamp)} ASC, {self._key} ASC"
        columns = [f"{self._column(f)} AS c{n}" for n, f in enumerate(self._fields)]
        if self.stamp:
            columns.append(f"TO_CHAR({_utc(self.stamp)}, '{_UTC_MASK}') AS s")
        self._columns = ", ".join(columns)

    def page(self, conditions: Sequence[str], order: str) -> Statement:
        """The statement for the rows that meet the conditions, and the mapping's filter; marked by their key."""
        return Statement.marked(self._columns, self._key, f"{self._from(conditions)} ORDER BY {order}")

    def count(self) -> Statement:
        """The statement that counts the rows which the mapping reads; marked by their number."""
        return Statement.marked("", "COUNT(*)", self._from(()))

    def probe(self) -> Statement:
        """The statement that shows whether the fields are there, at the cost of a row."""
        return Statement.marked(self._columns, self._key, self._from(("ROWNUM <= 1",)))

    def _from(self, conditions: Sequence[str]) -> str:
        join = self._mapped.join
        joined = f" INNER JOIN {join.table} {join.name} ON {join.on}" if join else ""
        every = [*conditions, *([f"({self._mapped.filter})"] if self._mapped.filter else [])]
        where = f" WHERE {' AND '.join(every)}" if every else ""
        return f" FROM {self._mapped.name}{joined}{where}"

    def after(self, at: str, key: str) -> Sequence[str]:
        """The conditions for what comes after a cursor: from `at` on where `key` is empty, everything without `at`.

        The bare column is compared with a day of slack besides, which an index can serve.
        """
        if not at:
            return (f"{self.stamp} IS NOT NULL",)
        early = moment(datetime.fromisoformat(f"{at}+00:00") - timedelta(days=1))
        bound = f"TO_TIMESTAMP('{at}', '{_UTC_MASK}')"
        rough = f"{self.stamp} >= TO_DATE('{early}', '{_UTC_MASK}')"
        if not key:
            return (rough, f"{_utc(self.stamp)} >= {bound}")
        exact = f"({_utc(self.stamp)} > {bound} OR ({_utc(self.stamp)} = {bound} AND {self.key_after(key)}))"
        return (rough, exact)

    def key_after(self, key: str) -> str:
        return f"{self._key} > {_value(key)}"

    def key_in(self, keys: Sequence[str]) -> str:
        """The condition for the records with these keys."""
        return f"{self._key} IN ({', '.join(map(_value, keys))})"

    def cursor(self, row: Row, mark: str) -> tuple[str, str]:
        """The stamp, as UTC text, and the key of a row of a page with this mark."""
        return row.get("s", ""), row[mark]

    def record(self, row: Row) -> Record:
        """The row under the mapping's field names; absent columns stay absent."""
        record: dict[str, Any] = {}
        for n, name in enumerate(self._fields):
            value = row.get(f"c{n}")
            if value is not None:
                _put(record, name, value)
        return record

    def _column(self, name: Field) -> str:
        sql = self._sql(name)
        kind = self._mapped.kind_of(name.path)
        if kind is Kind.INSTANT:
            return f'TO_CHAR({_utc(sql)}, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')'
        return f"TO_CHAR({sql}, 'YYYY-MM-DD')" if kind is Kind.DATE else sql

    def _sql(self, name: Field) -> str:
        """A bare column belongs to the object's own table, of which a joined one may have a namesake."""
        return name.path if "." in name.path or "(" in name.path else f"{self._mapped.name}.{name.path}"


def _put(record: dict[str, Any], name: Field, value: str) -> None:
    if not name.nested:
        record[name.path] = value
        return
    *way, last = name.path.split(".")
    for step in way:
        record = record.setdefault(step, {})
    record[last] = value


def _utc(column: str) -> str:
    return f"SYS_EXTRACT_UTC({column})"


def moment(value: datetime) -> str:
    """A moment in UTC as the statements write it."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _value(key: str) -> str:
    return key if key.isascii() and key.isdecimal() else literal(key)


def literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
