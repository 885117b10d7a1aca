"""Finding cases: the list of the console and the command line, its totals, and one case with its story."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy import case as case_when
from sqlalchemy.orm import Session

from gateway.exceptions.actions import case_number
from gateway.exceptions.clocks import Cycle, cycles
from gateway.exceptions.errors import CaseUnknown
from gateway.exceptions.events import histories
from gateway.exceptions.promise import frozen_terms
from gateway.exceptions.states import ACTIVE, CLOSED
from gateway.exceptions.tables import Case, CaseEvent
from gateway.notices.tiers import Tier, Tiers
from gateway.owners.model import Owners

MOST_PER_PAGE = 500
_SECONDS_A_DAY = 86_400


class Sort(StrEnum):
    """`exposure`: amount × age, the most first. `due`: the earliest open deadline first."""

    EXPOSURE = "exposure"
    DUE = "due"
    SEVERITY = "severity"
    NEWEST = "newest"
    AMOUNT = "amount"


@dataclass(frozen=True)
class Query:
    """Every list that is given narrows the search to cases with one of its values; empty lists do not.

    `owner` takes business or technical owners, `team` likewise. `state` empty: active cases. `text` looks into
    reference, account and message; `tier` is judged by the limits `tiers`. `late` only those past a deadline. Pages
    count from 1.
    """

    owner: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    money_kind: tuple[str, ...] = ()
    tier: tuple[Tier, ...] = ()
    tiers: Tiers = field(default_factory=Tiers)
    text: str = ""
    late: bool = False
    sort: Sort = Sort.EXPOSURE
    page: int = 1
    per_page: int = 50


@dataclass(frozen=True)
class Total:
    """The cases of one currency and money kind. Kinds and currencies are never added together."""

    currency: str | None
    money_kind: str
    cases: int
    amount: Decimal


@dataclass(frozen=True)
class Page:
    """`found` counts all cases of the query, `totals` sums over all of them, not over the page."""

    cases: tuple[Case, ...]
    found: int
    totals: tuple[Total, ...]
    page: int
    pages: int


@dataclass(frozen=True)
class CaseFile:
    """One case with everything that happened to it, the newest last. The last cycle is the present one."""

    case: Case
    events: tuple[CaseEvent, ...]
    cycles: tuple[Cycle, ...]


def search(session: Session, query: Query, now: datetime) -> Page:
    """One page of the cases that fit."""
    where = _where(query, now)
    totals = _totals(session, where)
    found = sum(total.cases for total in totals)
    per_page = min(max(query.per_page, 1), MOST_PER_PAGE)
    pages = max(1, -(-found // per_page))
    page = min(max(query.page, 1), pages)
    statement = select(Case).where(*where).order_by(*_order(query.sort, now))
    cases = session.scalars(statement.offset((page - 1) * per_page).limit(per_page))
    return Page(tuple(cases), found, totals, page, pages)


def case_file(session: Session, owners: Owners, reference: str, now: datetime) -> CaseFile:
    """One case by its reference. CaseUnknown."""
    number = case_number(reference)
    case = session.get(Case, number)
    if case is None:
        raise CaseUnknown(f"There is no exception {reference}.")
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_number == number).order_by(CaseEvent.id))
    return CaseFile(case, tuple(events), clocks_of(session, owners, [case], now)[number])


def clocks_of(
    session: Session, owners: Owners, cases: Sequence[Case], now: datetime
) -> Mapping[int, tuple[Cycle, ...]]:
    """The cycles of many cases, by number: what a list needs to show its clocks."""
    known = histories(session, [case.number for case in cases])
    terms = frozen_terms(session, {case.sla_terms for case in cases})
    calendars = owners.business_calendars
    return {case.number: cycles(known[case.number], terms[case.sla_terms], calendars, now) for case in cases}


def _totals(session: Session, where: Sequence[ColumnElement[bool]]) -> tuple[Total, ...]:
    amount = func.sum(Case.amount)
    rows = session.execute(
        select(Case.currency, Case.money_kind, func.count(), amount)
        .where(*where)
        .group_by(Case.currency, Case.money_kind)
        .order_by(Case.money_kind, amount.desc())
    )
    return tuple(Total(*row) for row in rows)


def _where(query: Query, now: datetime) -> list[ColumnElement[bool]]:
    lists: dict[Any, tuple[str, ...]] = {
        Case.severity: query.severity,
        Case.check_id: query.check,
        Case.record_system: query.system,
        Case.account_key: query.account,
        Case.money_kind: query.money_kind,
        Case.state: query.state or tuple(ACTIVE),
    }
    where: list[ColumnElement[bool]] = [column.in_(values) for column, values in lists.items() if values]
    if query.owner:
        where.append(or_(Case.business_owner.in_(query.owner), Case.technical_owner.in_(query.owner)))
    if query.team:
        where.append(or_(Case.business_team.in_(query.team), Case.technical_team.in_(query.team)))
    if query.tier:
        where.append(or_(*(_of_tier(tier, query.tiers) for tier in query.tier)))
    if query.text.strip():
        where.append(_holding(query.text.strip()))
    if query.late:
        where.append(late(now))
    return where


def _of_tier(tier: Tier, tiers: Tiers) -> ColumnElement[bool]:
    if tier is Tier.ALERT:
        return Case.confidence > tiers.alert_above
    if tier is Tier.DIGEST:
        return Case.confidence.between(tiers.digest_from, tiers.alert_above)
    return Case.confidence < tiers.digest_from


def late(now: datetime) -> ColumnElement[bool]:
    """Past a deadline that still counts."""
    unacknowledged = and_(Case.acknowledged_at.is_(None), Case.ack_due_at < now)
    return and_(Case.state.not_in(CLOSED), or_(unacknowledged, Case.resolve_due_at < now))


def _holding(text: str) -> ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    columns = (Case.account_key, Case.account_name, Case.message, Case.record_key, Case.subject)
    parts: list[ColumnElement[bool]] = [column.ilike(f"%{escaped}%") for column in columns]
    digits = text.upper().removeprefix("EXC-")
    if digits.isdecimal() and len(digits) <= 18:
        parts.append(Case.number == int(digits))
    return or_(*parts)


def _order(sort: Sort, now: datetime) -> tuple[Any, ...]:
    """By number in the end, so that pages do not shuffle. Where there is no rate, the amount counts as it is."""
    amount = func.coalesce(Case.reporting_amount, Case.amount)
    age = func.greatest(func.extract("epoch", now - Case.fails_from), _SECONDS_A_DAY)
    unacknowledged = func.least(Case.resolve_due_at, _open_ack())
    orders: dict[Sort, tuple[Any, ...]] = {
        Sort.EXPOSURE: ((amount * age).desc(),),
        Sort.DUE: (unacknowledged.asc().nulls_last(),),
        Sort.SEVERITY: (Case.severity.asc(), amount.desc()),
        Sort.NEWEST: (Case.first_detected_at.desc(),),
        Sort.AMOUNT: (amount.desc(),),
    }
    return (*orders[sort], Case.number)


def _open_ack() -> ColumnElement[datetime | None]:
    """The ack deadline while it still runs."""
    return case_when((Case.acknowledged_at.is_(None), Case.ack_due_at), else_=None)
