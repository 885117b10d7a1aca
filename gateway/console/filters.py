"""The queue's filters: what the address of a page says, and the address of the page that says it.

Severity, state, check, system, account, kind, owner, team and tier are the search's own. Standing, age, currency and
business team are the console's; `conditions` turns them into SQL.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from sqlalchemy import ColumnElement, or_
from starlette.datastructures import QueryParams

from gateway.console.standing import Standing, Standings
from gateway.console.words import NO_CURRENCY
from gateway.exceptions.search import Query, Sort
from gateway.exceptions.tables import Case
from gateway.notices.tiers import Tier

ADDRESS = "/exceptions"
_SEARCHED = ("severity", "state", "check", "system", "account", "kind", "owner", "team", "tier")
_OWN = ("sla", "age", "currency", "business_team")
NAMES = (*_SEARCHED, *_OWN)
MOST_VALUES = 50

# Days since the state is broken, [from, to).
AGES: Mapping[str, tuple[int, int | None]] = {"0-7": (0, 7), "7-30": (7, 30), "30-90": (30, 90), "90+": (90, None)}
AGE_WORDS: Mapping[str, str] = {
    "0-7": "under 7 days",
    "7-30": "7 to 30 days",
    "30-90": "30 to 90 days",
    "90+": "90 days and more",
}
STANDING_WORDS: Mapping[str, str] = {"breached": "Breached", "at_risk": "At risk", "ok": "On track"}


@dataclass(frozen=True)
class Filters:
    """What a visitor asked for. `chosen` has no empty lists."""

    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""
    sort: Sort = Sort.EXPOSURE
    page: int = 1

    @classmethod
    def read(cls, params: QueryParams) -> "Filters":
        """From an address; whatever makes no sense there is left out."""
        chosen = {}
        for name in NAMES:
            values = tuple(dict.fromkeys(printable(value) for value in params.getlist(name)))[:MOST_VALUES]
            if kept := tuple(value for value in values if value):
                chosen[name] = kept
        sort = params.get("sort", "")
        return cls(
            chosen=chosen,
            text=printable(params.get("text", ""))[:200],
            sort=Sort(sort) if sort in set(Sort) else Sort.EXPOSURE,
            page=page_number(params.get("page", "")),
        )

    @property
    def query(self) -> Query:
        """As the search takes it."""
        chosen = {name: self.chosen.get(name, ()) for name in _SEARCHED}
        return Query(
            severity=chosen["severity"],
            state=chosen["state"],
            check=chosen["check"],
            system=chosen["system"],
            account=chosen["account"],
            money_kind=chosen["kind"],
            owner=chosen["owner"],
            team=chosen["team"],
            tier=tuple(Tier(value) for value in chosen["tier"] if value in set(Tier)),
            text=self.text,
            sort=self.sort,
            page=self.page,
        )

    @property
    def narrowed(self) -> bool:
        """Whether anything at all is left out."""
        return bool(self.chosen or self.text)

    def sum_address(self, kind: str, currency: str | None) -> str:
        """The cases behind one total of this list."""
        chosen = {**self.chosen, "kind": (kind,), "currency": (currency or NO_CURRENCY,)}
        return replace(self, chosen=chosen, page=1).address

    def without(self, name: str, value: str) -> "Filters":
        left = {**self.chosen, name: tuple(one for one in self.chosen.get(name, ()) if one != value)}
        return replace(self, chosen={key: values for key, values in left.items() if values}, page=1)

    def page_address(self, page: int) -> str:
        """Another page of the same list."""
        return replace(self, page=page).address

    def untexted(self) -> "Filters":
        return replace(self, text="", page=1)

    @property
    def address(self) -> str:
        """The page that shows this."""
        pairs = [(name, value) for name in NAMES for value in self.chosen.get(name, ())]
        pairs += [("text", self.text)] if self.text else []
        pairs += [("sort", self.sort.value)] if self.sort is not Sort.EXPOSURE else []
        pairs += [("page", str(self.page))] if self.page > 1 else []
        return f"{ADDRESS}?{urlencode(pairs, quote_via=quote)}" if pairs else ADDRESS


def link(**chosen: str | Iterable[str] | None) -> str:
    """The queue narrowed to this: `link(severity="S1", currency=None)`. None means: without a currency."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in chosen.items():
        values[name] = (value or NO_CURRENCY,) if value is None or isinstance(value, str) else tuple(value)
    return Filters(values).address


def conditions(filters: Filters, standings: Callable[[], Standings], now: datetime) -> list[ColumnElement[bool]]:
    """The console's own filters on cases. Standings are worked out only where they are asked for."""
    found: list[ColumnElement[bool]] = []
    chosen = filters.chosen
    if slas := [Standing(value) for value in chosen.get("sla", ()) if value in STANDING_WORDS]:
        known = standings()
        found.append(or_(*(known.holds(standing) for standing in slas)))
    if ages := [AGES[value] for value in chosen.get("age", ()) if value in AGES]:
        found.append(or_(*(aged(start, end, now) for start, end in ages)))
    if currencies := chosen.get("currency", ()):
        none = [Case.currency.is_(None)] if NO_CURRENCY in currencies else []
        found.append(or_(Case.currency.in_(currencies), *none))
    if teams := chosen.get("business_team", ()):
        found.append(Case.business_team.in_(teams))
    return found


def aged(start: int, end: int | None, now: datetime) -> ColumnElement[bool]:
    """Broken for at least `start` days and less than `end`. What breaks only later is new."""
    young_enough = Case.fails_from > now - timedelta(days=end) if end is not None else None
    old_enough = Case.fails_from <= now - timedelta(days=start) if start else None
    parts = [part for part in (young_enough, old_enough) if part is not None]
    return parts[0] if len(parts) == 1 else parts[0] & parts[1]


def printable(text: str) -> str:
    """Without signs that PostgreSQL keeps in no text."""
    return "".join(sign for sign in text if sign.isprintable()).strip()


def page_number(text: str) -> int:
    """The page that an address asks for; the first one where it makes no sense."""
    return max(1, int(text)) if text.isdecimal() and len(text) < 8 else 1
