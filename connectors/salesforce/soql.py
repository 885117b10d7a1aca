"""The SOQL that is asked: a page of an object by (stamp, key) after a position, and lists of keys in chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from connectors.contract import Position, Record
from connectors.errors import TransientError
from connectors.mapping import ObjectMapping

PAGE = 2_000
# A request line and its headers may hold 16 kB; a query itself 100,000 characters (Salesforce API limits).
LONGEST_URL = 12_000


@dataclass(frozen=True)
class Select:
    """What is asked of one object. `stamp` is the field of the cursor, empty where records are walked by key alone.

    `deleted` asks for what lies in the recycle bin as well (queryAll).
    """

    name: str
    fields: tuple[str, ...]
    key: str
    stamp: str = ""
    conditions: tuple[str, ...] = ()
    deleted: bool = False

    def page(self, after: Position | None, until: datetime | None = None) -> str:
        """The next page after a position, of records that are stamped before `until`."""
        conditions = [*self.conditions, *self._after(after)]
        if until is not None:
            conditions.append(f"{self.stamp} < {instant(until)}")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = f"{self.stamp}, {self.key}" if self.stamp else self.key
        return f"{self._from()}{where} ORDER BY {order} LIMIT {PAGE}"

    def everything(self) -> str:
        """All records, in no order: an order would keep a bulk job from splitting its work."""
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        return self._from() + where

    def position(self, record: Record) -> Position:
        stamp = parsed_instant(str(record[self.stamp])) if self.stamp else None
        return Position(stamp, str(record[self.key]))

    def check(self, records: Sequence[Record], system: str) -> None:
        """Raises TransientError where the records answer another query: a proxy may give what it gave before."""
        for record in records[-1:]:
            kind = (record.get("attributes") or {}).get("type", self.name)
            if str(kind).lower() != self.name.lower() or not record.get(self.key):
                raise TransientError(f"{system} answered a query of {self.name} with records of something else.")
            if self.stamp and not record.get(self.stamp):
                raise TransientError(
                    f"{system} answered a query of {self.name} with records that have no {self.stamp}."
                )

    def _from(self) -> str:
        return f"SELECT {', '.join(self.fields)} FROM {self.name}"

    def _after(self, after: Position | None) -> Iterator[str]:
        if after and self.stamp and after.stamp:
            at = instant(after.stamp)
            if after.id:
                yield f"(({self.stamp} = {at} AND {self.key} > {text(after.id)}) OR {self.stamp} > {at})"
            else:
                yield f"{self.stamp} >= {at}"
        elif after and after.id:
            yield f"{self.key} > {text(after.id)}"


def mapped(of: ObjectMapping, fields: tuple[str, ...], *, by_stamp: bool) -> Select:
    """Records of a mapped object, in the order of their stamps or of their keys."""
    conditions = (f"({of.filter})",) if of.filter else ()
    stamp = of.modified.path if of.modified and by_stamp else ""
    return Select(of.name, fields, of.key[0].path, stamp, conditions)


def counting(of: ObjectMapping) -> str:
    """How many records the mapping reads."""
    return f"SELECT COUNT() FROM {of.name}" + (f" WHERE {of.filter}" if of.filter else "")


def chunks(select: Select, literals: Sequence[str]) -> Iterator[Select]:
    """The same for records whose key is one of the literals: as many selects as keep each URL short enough."""
    bare = Select(select.name, select.fields, select.key, "", (*select.conditions, f"{select.key} IN ()"))
    room = LONGEST_URL - len(quote(bare.page(Position(id=" " * 40))))
    held: list[str] = []
    length = 0
    for literal in literals:
        needed = len(quote(literal + ","))
        if held and length + needed > room:
            yield _among(select, held)
            held, length = [], 0
        held.append(literal)
        length += needed
    if held:
        yield _among(select, held)


def _among(select: Select, literals: Sequence[str]) -> Select:
    condition = f"{select.key} IN ({','.join(literals)})"
    return Select(select.name, select.fields, select.key, "", (*select.conditions, condition))


def instant(moment: datetime) -> str:
    """A literal; stamps are given to the millisecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def text(value: str) -> str:
    """A quoted literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def parsed_instant(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
