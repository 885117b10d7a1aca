"""`/`: what a finance lead asks first. Every number leads to the cases behind it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from books.snapshots import Snapshot
from gateway.console import charts, figures
from gateway.console.figures import Group
from gateway.console.filters import AGE_WORDS, link
from gateway.console.queue import rows_of
from gateway.console.standing import Standings
from gateway.console.validations import newest
from gateway.console.visit import Visit, VisitDep
from gateway.exceptions.search import Query, search

router = APIRouter(include_in_schema=False)

LARGEST = 6
RECENT_RUNS = 5
CHARTED_CURRENCIES = 2


@dataclass(frozen=True)
class SourceState:
    """How far one system is known. `troubles`: what keeps entities from being relied on, with those entities."""

    name: str
    watermark: datetime | None
    entities: int
    troubles: Mapping[str, Sequence[str]]
    failed: bool


@router.get("/")
def front(visit: VisitDep) -> Response:
    """The numbers, the charts, the last verdicts and how fresh the sources are."""
    with visit.installed.database.session() as session:
        standings = Standings(session, visit.installed.owners, visit.now)
        found = figures.groups(session, standings, visit.now)
        largest = rows_of(session, search(session, Query(per_page=LARGEST), visit.now).cases, visit)
        runs = newest(session, RECENT_RUNS)
    return visit.page(
        "front.html",
        total=sum(group.cases for group in found),
        by_severity=figures.counts(found, lambda group: group.severity),
        by_standing=figures.counts(found, lambda group: group.standing.value),
        by_age=figures.counts(found, lambda group: group.age),
        by_age_and_severity=figures.counts(found, lambda group: (group.age, group.severity)),
        by_team=figures.counts(found, lambda group: group.team),
        by_team_and_severity=figures.counts(found, lambda group: (group.team, group.severity)),
        by_team_and_standing=figures.counts(found, lambda group: (group.team, group.standing.value)),
        address_of_sum=lambda kind, currency: link(kind=kind, currency=currency),
        amounts=figures.amounts(found),
        charts=_charts(found),
        largest=largest,
        runs=runs,
        sources=_sources(visit),
        ages=AGE_WORDS,
        link=link,
    )


def _charts(found: Sequence[Group]) -> list[Markup]:
    if not found:
        return []
    drawn = [charts.cases_by_age(figures.by_age(found))]
    currencies = [currency for currency in figures.amounts(found) if currency is not None]
    for currency in currencies[:CHARTED_CURRENCIES]:
        if rows := figures.amounts_by_age(found, currency):
            drawn.append(charts.amounts_by_age(currency, rows))
    return drawn


def _sources(visit: Visit) -> list[SourceState]:
    """Every source of tieout.yaml, as the latest snapshot knows it."""
    snapshot = visit.installed.ledger.latest()
    return [_source(name, snapshot, visit.now) for name in visit.installed.config.sources]


def _source(name: str, snapshot: Snapshot | None, now: datetime) -> SourceState:
    readings = {e: r for (s, e), r in snapshot.readings.items() if s == name} if snapshot else {}
    if snapshot is None or not readings:
        return SourceState(name, None, 0, {}, failed=True)
    troubles: defaultdict[str, list[str]] = defaultdict(list)
    for entity, reading in sorted(readings.items()):
        if trouble := reading.trouble(now):
            troubles[trouble].append(entity)
    failed = any(reading.failure or reading.watermark is None for reading in readings.values())
    return SourceState(name, snapshot.as_of()[name], len(readings), troubles, failed)
