"""Open cases as rows: who has them, when somebody last touched them, and when that is too long ago."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.exceptions.calendar import add
from gateway.exceptions.events import SYSTEM as BY_SYSTEM
from gateway.exceptions.promise import frozen_terms
from gateway.exceptions.span import Span
from gateway.exceptions.states import ACTIVE
from gateway.exceptions.tables import Case, CaseEvent
from gateway.exceptions.terms import Terms
from gateway.owners.duty import is_away, standing_in
from gateway.owners.model import Owners


def open_cases(session: Session, owners: Owners, now: datetime) -> Iterator[dict[str, Any]]:
    """One row per case that is worked on, or should be."""
    cases = session.scalars(select(Case).where(Case.current, Case.state.in_(ACTIVE))).all()
    touched = _touched(session)
    terms = frozen_terms(session, {case.sla_terms for case in cases})
    patience = _Patience(owners)
    for case in cases:
        last = max(touched.get(case.number, case.first_detected_at), case.first_detected_at)
        deputy, is_active = _who(owners, case.business_owner, now)
        yield {
            "key": case.reference,
            "account_key": case.account_key,
            "modified_at": last,
            "number": case.reference,
            "check": case.check_id,
            "fingerprint": case.fingerprint,
            "state": case.state,
            "severity": case.severity,
            "owner": case.business_owner,
            "owner_active": is_active,
            "deputy": deputy,
            "amount": case.amount,
            "currency": case.currency,
            "opened_at": case.first_detected_at,
            "touched_at": last,
            "due_at": case.resolve_due_at,
            "untouched_until": patience.until(case, max(last, case.pending_until or last), terms[case.sla_terms]),
        }


def _touched(session: Session) -> dict[int, datetime]:
    """By case, when a person last did something to it."""
    found = (
        select(CaseEvent.case_number, func.max(CaseEvent.at))
        .where(~CaseEvent.actor.startswith(BY_SYSTEM))
        .group_by(CaseEvent.case_number)
    )
    return dict(session.execute(found).all())


def _who(owners: Owners, person: str, now: datetime) -> tuple[str | None, bool]:
    """Who stands in for a person, if somebody does, and whether the person is there: known, in a team, and not away."""
    if person not in owners.people or not owners.teams_of(person):
        return None, False
    present = standing_in(owners, person, now)
    return (present if present != person else None), not is_away(owners, person, now)


class _Patience:
    """Twice the time that a case may take, from its last touch on, by its own calendar; many cases share an answer."""

    def __init__(self, owners: Owners) -> None:
        self._calendars = owners.business_calendars
        self._known: dict[tuple[str, Span, datetime], datetime] = {}

    def until(self, case: Case, since: datetime, terms: Terms) -> datetime:
        whole = _resolve_time(terms.policies, case.severity)
        at = (case.calendar, whole, since)
        if at not in self._known:
            self._known[at] = add(self._calendars[case.calendar], since, Span(2 * whole.count, whole.unit))
        return self._known[at]


def _resolve_time(policies: Mapping[str, Any], severity: str) -> Span:
    span: Span = policies[severity].resolve
    return span
