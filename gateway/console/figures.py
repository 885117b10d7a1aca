"""The numbers of the front page: one question to the database, folded in different ways."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import Session

from gateway.console.filters import AGES, aged
from gateway.console.standing import Standing, Standings
from gateway.exceptions.search import Total
from gateway.exceptions.states import ACTIVE
from gateway.exceptions.tables import Case


@dataclass(frozen=True)
class Group:
    """Active cases that are alike in everything the page counts by. `amount` is the sum in `currency`."""

    severity: str
    kind: str
    currency: str | None
    team: str
    age: str
    standing: Standing
    cases: int
    amount: Decimal


@dataclass(frozen=True)
class Cell:
    """Cases of one kind of money in one currency: the only amounts that may be added."""

    cases: int
    amount: Decimal


def groups(session: Session, standings: Standings, now: datetime) -> list[Group]:
    """The active cases, counted and summed per group."""
    dimensions: list[ColumnElement[Any]] = [
        Case.severity.label("severity"),
        Case.money_kind.label("kind"),
        Case.currency.label("currency"),
        Case.business_team.label("team"),
        _age(now).label("age"),
        _standing(standings).label("standing"),
    ]
    counted = select(*dimensions, func.count().label("cases"), func.sum(Case.amount).label("amount"))
    rows = session.execute(counted.where(Case.state.in_(ACTIVE)).group_by(*(column.name for column in dimensions)))
    return [Group(**{**row, "standing": Standing(row["standing"])}) for row in rows.mappings()]


def counts(found: Iterable[Group], by: Callable[[Group], Any]) -> Mapping[Any, int]:
    """Cases per value of a dimension; zero for a value that no case has."""
    counted: defaultdict[Any, int] = defaultdict(int)
    for group in found:
        counted[by(group)] += group.cases
    return counted


def amounts(found: Iterable[Group]) -> Mapping[str | None, Mapping[str, Cell]]:
    """Per currency, those with the most cases first, the cell of each kind of money."""
    cells: defaultdict[str | None, defaultdict[str, Cell]] = defaultdict(
        lambda: defaultdict(lambda: Cell(0, Decimal()))
    )
    for group in found:
        known = cells[group.currency][group.kind]
        cells[group.currency][group.kind] = Cell(known.cases + group.cases, known.amount + group.amount)
    return dict(sorted(cells.items(), key=lambda one: (-sum(c.cases for c in one[1].values()), one[0] or "")))


def totalled(totals: Iterable[Total]) -> Mapping[str | None, Mapping[str, Cell]]:
    """The totals of a search in the same shape."""
    return _cells((total.currency, total.money_kind, Cell(total.cases, total.amount)) for total in totals)


def _cells(parts: Iterable[tuple[str | None, str, Cell]]) -> Mapping[str | None, Mapping[str, Cell]]:
    cells: defaultdict[str | None, dict[str, Cell]] = defaultdict(dict)
    for currency, kind, cell in parts:
        known = cells[currency].get(kind, Cell(0, Decimal()))
        cells[currency][kind] = Cell(known.cases + cell.cases, known.amount + cell.amount)
    return dict(sorted(cells.items(), key=lambda one: (-sum(cell.cases for cell in one[1].values()), one[0] or "")))


def by_age(found: Sequence[Group]) -> tuple[tuple[str, str, int], ...]:
    """(age, severity, cases) of every pair that has any."""
    counted = counts(found, lambda group: (group.age, group.severity))
    return tuple((age, severity, number) for (age, severity), number in sorted(counted.items()))


def amounts_by_age(found: Sequence[Group], currency: str) -> tuple[tuple[str, str, str], ...]:
    """(age, kind, amount as text) in one currency; nothing where there is no amount."""
    summed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for group in found:
        if group.currency == currency and group.amount:
            summed[group.age, group.kind] += group.amount
    return tuple((age, kind, f"{amount:f}") for (age, kind), amount in sorted(summed.items()))


def _age(now: datetime) -> ColumnElement[str]:
    *younger, oldest = AGES.items()
    return case(*((aged(start, end, now), literal(name)) for name, (start, end) in younger), else_=literal(oldest[0]))


def _standing(standings: Standings) -> ColumnElement[str]:
    named = (Standing.BREACHED, Standing.AT_RISK)
    return case(*((standings.holds(one), literal(one.value)) for one in named), else_=literal(Standing.OK.value))
