"""The deadlines of a case, kept beside it so that rows can be searched by them. They follow from its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.exceptions.calendar import Calendar
from gateway.exceptions.clocks import cycles
from gateway.exceptions.events import histories
from gateway.exceptions.history import Entry
from gateway.exceptions.states import State
from gateway.exceptions.steps import next_step_at
from gateway.exceptions.tables import Case, FrozenTerms
from gateway.exceptions.terms import Terms
from gateway.owners.model import Owners


@dataclass(frozen=True)
class Promise:
    """What follows from a history: both deadlines, and when something is to happen next."""

    ack_due_at: datetime | None
    resolve_due_at: datetime
    next_step_at: datetime | None


def promise(history: Sequence[Entry], terms: Terms, calendars: Mapping[str, Calendar], now: datetime) -> Promise:
    """The history has at least an opening, at or before now."""
    cycle = cycles(history, terms, calendars, now)[-1]
    ack = cycle.ack.due_at if cycle.ack is not None else None
    return Promise(ack, cycle.resolve.due_at, next_step_at(history, terms, calendars, now))


class Promises:
    """Promises of cases that open now; the many cases of one sweep share a few."""

    def __init__(self, owners: Owners, now: datetime) -> None:
        self._owners = owners
        self._now = now
        self._terms: dict[str, Terms] = {}
        self._known: dict[tuple[str, str, str, datetime | None], Promise] = {}

    def terms(self, check: str) -> Terms:
        if check not in self._terms:
            self._terms[check] = self._owners.terms(check)
        return self._terms[check]

    def opening(self, terms: Terms, severity: str, calendar: str, cut_off: datetime | None) -> Promise:
        key = (terms.digest, severity, calendar, cut_off)
        if key not in self._known:
            entry = Entry(self._now, "opened", State.OPEN, True, severity=severity, calendar=calendar, cut_off=cut_off)
            calendars = self._owners.business_calendars
            self._known[key] = promise([entry], terms, calendars, self._now)
        return self._known[key]

    def freeze(self, session: Session) -> None:
        """Keep all terms that were asked for and are not kept yet."""
        kept = frozen_terms(session, {terms.digest for terms in self._terms.values()})
        missing = {terms.digest: terms for terms in self._terms.values() if terms.digest not in kept}
        session.add_all(
            FrozenTerms(digest=terms.digest, document=terms.document, frozen_at=self._now) for terms in missing.values()
        )
        session.flush()


def frozen_terms(session: Session, digests: set[str]) -> dict[str, Terms]:
    """By digest, as they were when the cases opened."""
    rows = session.execute(select(FrozenTerms.digest, FrozenTerms.document).where(FrozenTerms.digest.in_(digests)))
    return {digest: Terms.from_document(document) for digest, document in rows}


def refresh(session: Session, owners: Owners, cases: Sequence[Case], now: datetime) -> None:
    """Work the deadlines of these cases out again from their events."""
    session.flush()
    terms = frozen_terms(session, {case.sla_terms for case in cases})
    known = histories(session, [case.number for case in cases])
    for case in cases:
        at = max(now, known[case.number][-1].at)
        kept = promise(known[case.number], terms[case.sla_terms], owners.business_calendars, at)
        case.ack_due_at, case.resolve_due_at = kept.ack_due_at, kept.resolve_due_at
        case.next_step_at = kept.next_step_at
