"""Carries out the steps that are due: reminders, breaches, rungs of the ladder, expired acknowledgements, pauses.

Each step is an event with the step's key, which the database keeps unique within its case: run twice with the same
`now` nothing happens the second time, and two that run at once do not meet on one case.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.exceptions.events import Happening, histories, write_many
from gateway.exceptions.promise import frozen_terms, refresh
from gateway.exceptions.states import Move, State, after
from gateway.exceptions.steps import Step, StepKind, due_steps
from gateway.exceptions.tables import Case
from gateway.notices.outbox import NoticeItem, item
from gateway.notices.timing import deadline_ready
from gateway.owners.duty import reached
from gateway.owners.model import Owners

ACTOR = "tieout:escalation"
BATCH = 1000


@dataclass(frozen=True)
class Escalated:
    """How many steps on how many cases; `more`: the batch was full, run again."""

    cases: int
    steps: int
    more: bool


def run_escalations(session: Session, owners: Owners, now: datetime, *, limit: int = BATCH) -> Escalated:
    """Everything that is due by now, for at most `limit` cases, the longest due first."""
    statement = select(Case).where(Case.next_step_at <= now).order_by(Case.next_step_at, Case.number).limit(limit)
    cases = list(session.scalars(statement.with_for_update(of=Case, key_share=True, skip_locked=True)))
    terms = frozen_terms(session, {case.sla_terms for case in cases})
    known = histories(session, [case.number for case in cases])
    happenings: list[Happening] = []
    for case in cases:
        for step in due_steps(known[case.number], terms[case.sla_terms], owners.business_calendars, now):
            told = list(dict.fromkeys(_recipients(owners, case, step, now)))
            happenings.append(_carry_out(case, step, told))
            session.add_all(_items(case, step, told, now))
    write_many(session, now, ACTOR, happenings)
    refresh(session, owners, cases, now)
    return Escalated(len(cases), len(happenings), len(cases) == limit)


def _carry_out(case: Case, step: Step, told: list[str]) -> Happening:
    move = {StepKind.ACK_EXPIRED: Move.EXPIRE, StepKind.PAUSE_OVER: Move.RESUME}.get(step.kind, Move.ESCALATE)
    was = State(case.state)
    case.state = after(case.reference, was, move)
    if step.kind is StepKind.ACK_EXPIRED:
        case.acknowledged_at = None
    if step.kind is StepKind.PAUSE_OVER:
        case.pending_until = case.pending_reason = None
    if step.kind is StepKind.ORPHANED:
        case.orphaned = True
    before = {"state": was.value} if case.state != was else {}
    named = {"kind": step.kind.value, "planned": step.at.isoformat(), "told": told, "clock": step.clock, "to": step.to}
    return Happening(case.number, move, State(case.state), _sentence(step), before, named, step.key)


def _items(case: Case, step: Step, told: list[str], now: datetime) -> Iterator[NoticeItem]:
    kind = _notice_kind(step)
    when = deadline_ready(case.severity, now)
    for recipient in told:
        yield item(case.number, recipient, kind, case.severity, now, when)


def _recipients(owners: Owners, case: Case, step: Step, now: datetime) -> Iterator[str]:
    business = (case.business_team, case.business_owner)
    technical = (case.technical_team, case.technical_owner)

    def person(to: str) -> str:
        return f"person:{reached(owners, to, business, technical, now)}"

    if step.kind is StepKind.RUNG and step.to is not None:
        yield person(step.to)
        return
    yield person("owner")
    if step.kind is StepKind.BREACHED:
        yield person("lead")
    if step.kind is StepKind.ACK_EXPIRED:
        yield f"team:{case.business_team}"
    if step.kind is StepKind.ORPHANED:
        yield person("technical_owner")
        yield person("technical_lead")


def _notice_kind(step: Step) -> str:
    if step.kind is StepKind.BREACHED:
        return "breached"
    return "escalated" if step.kind in (StepKind.RUNG, StepKind.ORPHANED) else "reminder"


def _sentence(step: Step) -> str:
    """For the timeline."""
    clock = "acknowledgement" if step.clock == "ack" else "resolution"
    return {
        StepKind.AT_RISK: f"The deadline of its {clock} is near.",
        StepKind.BREACHED: f"The deadline of its {clock} has passed.",
        StepKind.RUNG: "Nobody has acknowledged it; the next on the ladder is told.",
        StepKind.ORPHANED: "Everybody on the ladder was told as often as planned, and nobody has acknowledged it.",
        StepKind.ACK_EXPIRED: "Nothing happened since it was acknowledged; it is open again.",
        StepKind.PAUSE_OVER: "The time it was to wait is over.",
    }[step.kind]
