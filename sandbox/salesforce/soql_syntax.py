"""The parts of a parsed query. Names are as written; nothing here knows the org."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from re import Pattern


@dataclass(frozen=True)
class Path:
    """A field by the names on the way to it: ("Account", "Name")."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True)
class Aggregate:
    """COUNT() has no path; `alias` names the result, else it is expr0, expr1, ..."""

    function: str
    path: Path | None
    alias: str | None
    at: int


@dataclass(frozen=True)
class Period:
    """A date literal such as TODAY or LAST_N_DAYS:7 (then `n` is 7)."""

    name: str
    n: int | None


@dataclass(frozen=True)
class Literal:
    """Null is None; numbers are Decimal; datetimes are aware."""

    value: str | Decimal | bool | date | datetime | Period | None
    at: int


@dataclass(frozen=True)
class Comparison:
    """`operator` is one of = != < <= > >=."""

    path: Path
    operator: str
    literal: Literal


@dataclass(frozen=True)
class Like:
    path: Path
    pattern: Pattern[str]
    at: int


@dataclass(frozen=True)
class Membership:
    path: Path
    literals: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True)
class All:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    part: "Condition"


Condition = Comparison | Like | Membership | All | AnyOf | Not


@dataclass(frozen=True)
class OrderKey:
    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """`limit` None is no limit; `offset_at` points at the OFFSET number."""

    select: tuple[Path | Aggregate, ...]
    source: str
    source_at: int
    alias: str | None
    where: Condition | None
    order: tuple[OrderKey, ...]
    limit: int | None
    offset: int
    offset_at: int
