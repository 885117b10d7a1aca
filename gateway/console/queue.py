"""`/exceptions`: the queue, filtered, sorted, in pages, with its totals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.console import figures, words
from gateway.console.filters import AGE_WORDS, STANDING_WORDS, Filters, conditions
from gateway.console.narrowing import narrowed
from gateway.console.standing import Shown, Standings, of_cycle
from gateway.console.visit import Visit, VisitDep
from gateway.exceptions.clocks import Cycle
from gateway.exceptions.search import Page, Sort, clocks_of, search
from gateway.exceptions.states import State
from gateway.exceptions.tables import Case

router = APIRouter(include_in_schema=False)

SORTS: Mapping[Sort, str] = {
    Sort.EXPOSURE: "Amount × age",
    Sort.DUE: "Next deadline",
    Sort.SEVERITY: "Severity",
    Sort.AMOUNT: "Amount",
    Sort.NEWEST: "Newest",
}


@dataclass(frozen=True)
class Row:
    """One line of a list. `age`: how long the state has been broken, by the wall clock. `shown` is None for a case
    whose story begins after now."""

    case: Case
    age: timedelta
    shown: Shown | None


@dataclass(frozen=True)
class Choices:
    """One filter and the values that it offers, each with its words."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]


@router.get("/exceptions")
def queue(visit: VisitDep) -> Response:
    """One page of the cases that fit the address."""
    filters = Filters.read(visit.request.query_params)
    with visit.installed.database.session() as session:
        choices = _choices(session, visit)
        found, rows = _found(session, filters, visit)
    return visit.page(
        "queue.html",
        filters=filters,
        choices=choices,
        chips=_chips(filters, choices),
        found=found,
        totals=figures.totalled(found.totals),
        rows=rows,
        sorts=SORTS,
    )


def rows_of(session: Session, cases: Sequence[Case], visit: Visit) -> list[Row]:
    """The cases with the clock that matters for each."""
    told = clocks_of(session, visit.installed.owners, cases, visit.now)
    return [_row(case, told[case.number], visit.now) for case in cases]


def _row(case: Case, told: Sequence[Cycle], now: datetime) -> Row:
    return Row(case, max(now - case.fails_from, timedelta()), of_cycle(told[-1]) if told else None)


def _found(session: Session, filters: Filters, visit: Visit) -> tuple[Page, list[Row]]:
    def standings() -> Standings:
        return Standings(session, visit.installed.owners, visit.now)

    with narrowed(session, conditions(filters, standings, visit.now)):
        found = search(session, replace(filters.query, tiers=visit.installed.config.tiers()), visit.now)
    return found, rows_of(session, found.cases, visit)


def _choices(session: Session, visit: Visit) -> list[Choices]:
    names, owners = words.Names(visit.installed.owners), visit.installed.owners
    columns = (Case.check_id, Case.record_system, Case.currency)
    held = session.execute(select(*columns).distinct()).all()
    checks = sorted({check for check, _, _ in held})
    systems = sorted({system for _, system, _ in held})
    currencies = sorted({currency or words.NO_CURRENCY for _, _, currency in held})
    people = sorted(owners.people, key=names.person)
    return [
        Choices("severity", "Severity", [(key, f"{key} {word}") for key, word in words.SEVERITIES.items()]),
        Choices("sla", "SLA", list(STANDING_WORDS.items())),
        Choices("tier", "Confidence", [(key, f"{key.capitalize()}: {word}") for key, word in words.TIERS.items()]),
        Choices("state", "State", [(state.value, words.state(state.value)) for state in State]),
        Choices(
            "kind", "Kind of money", [(kind, f"{kind.capitalize()}: {word}") for kind, word in words.KINDS.items()]
        ),
        Choices("currency", "Currency", [(name, name) for name in currencies]),
        Choices("age", "Age", list(AGE_WORDS.items())),
        Choices("owner", "Owner", [(person, names.person(person)) for person in people]),
        Choices("team", "Team", [(team, names.team(team)) for team in owners.teams]),
        Choices("check", "Check", [(check, words.title(check)) for check in checks]),
        Choices("system", "System", [(system, words.system(system)) for system in systems]),
    ]


def _chips(filters: Filters, choices: Sequence[Choices]) -> list[tuple[str, str, str]]:
    """(filter, value, address without it) of everything that is chosen."""
    labels = {choice.name: choice.label for choice in choices}
    labels |= {"account": "Account", "business_team": "Business team"}
    known = {(choice.name, key): word for choice in choices for key, word in choice.options}
    known |= {("business_team", key): word for (name, key), word in list(known.items()) if name == "team"}
    chips = [
        (labels[name], known.get((name, value), value), filters.without(name, value).address)
        for name, values in filters.chosen.items()
        for value in values
    ]
    if filters.text:
        chips.append(("Text", filters.text, filters.untexted().address))
    return chips
