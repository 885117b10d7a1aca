"""What a person does to a case. Each is one event and one audit entry, in the caller's transaction.

Every function locks the case, refuses what the case or the person does not allow (MoveRefused, CaseUnknown), and
returns the case as it is afterwards, its deadlines worked out again.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.exceptions.errors import CaseUnknown, MoveRefused
from gateway.exceptions.events import Happening, write
from gateway.exceptions.promise import refresh
from gateway.exceptions.states import ACTIVE, FalsePositive, Move, Resolution, State, after
from gateway.exceptions.tables import Case
from gateway.notices.outbox import hand_over
from gateway.owners.model import Owners

FALSE_POSITIVE_HOLDS = timedelta(days=90)  # then somebody looks again: rules and data have changed by then
_REFERENCE = re.compile(r"(?:EXC-)?(\d{1,18})", re.IGNORECASE)


@dataclass(frozen=True)
class Acting:
    """Who acts, when, in which transaction. `actor` is a person's id in owners.yaml."""

    session: Session
    owners: Owners
    actor: str
    now: datetime


def acknowledge(acting: Acting, reference: str, note: str | None = None) -> Case:
    """A member of an owning team says: I have it. Stops the ack clock and the ladder."""
    case = _locked(acting, reference)
    if not {case.business_team, case.technical_team} & set(acting.owners.teams_of(acting.actor)):
        raise MoveRefused(
            f"{case.reference} belongs to {case.business_team} and {case.technical_team}; only their members can "
            "acknowledge it. Have it assigned to you first."
        )
    case.acknowledged_at = acting.now
    return _moved(acting, case, Move.ACKNOWLEDGE, note)


def start(acting: Acting, reference: str, note: str | None = None) -> Case:
    """Work has begun."""
    return _moved(acting, _locked(acting, reference), Move.START, note)


def pend(acting: Acting, reference: str, state: State, *, reason: str, until: datetime) -> Case:
    """Wait for the customer, a vendor or an approval, until an expected instant. The resolve clock pauses."""
    case = _locked(acting, reference)
    if not reason.strip():
        raise MoveRefused(f"Say what {case.reference} waits for: the owner after you reads it.")
    if until <= acting.now:
        raise MoveRefused(f"{case.reference} cannot wait until {until:%Y-%m-%d %H:%M} UTC, which has passed.")
    case.pending_until, case.pending_reason = until, reason
    return _moved(acting, case, Move.PEND, reason, {"until": until.isoformat()}, pending=state)


def resume(acting: Acting, reference: str, note: str | None = None) -> Case:
    """What was waited for has come, or is waited for no more."""
    case = _locked(acting, reference)
    case.pending_until = case.pending_reason = None
    return _moved(acting, case, Move.RESUME, note)


def comment(acting: Acting, reference: str, text: str) -> Case:
    """Say something; it also pushes back the expiry of an acknowledgement."""
    case = _locked(acting, reference)
    if not text.strip():
        raise MoveRefused("An empty comment says nothing; write one.")
    return _moved(acting, case, Move.COMMENT, text)


def assign(acting: Acting, reference: str, to: str, *, role: Literal["business", "technical"] = "business") -> Case:
    """Make a person the business or the technical owner. Their team comes with them, and its calendar from now on."""
    case = _locked(acting, reference)
    if State(case.state) not in ACTIVE:
        raise MoveRefused(f"{case.reference} is closed; there is nothing to own.")
    teams = acting.owners.teams_of(to)
    if not teams:
        raise MoveRefused(f"{to} is in no team of owners.yaml, so nobody would stand in for them. Name a member.")
    present: str = getattr(case, f"{role}_team")
    team = present if present in teams else teams[0]
    before = {f"{role}_owner": getattr(case, f"{role}_owner"), f"{role}_team": present}
    later: dict[str, Any] = {f"{role}_owner": to, f"{role}_team": team}
    setattr(case, f"{role}_owner", to)
    setattr(case, f"{role}_team", team)
    if role == "business":
        hand_over(acting.session, case.number, before["business_owner"], to)
        if acting.owners.teams[team].calendar != case.calendar:
            before["calendar"] = case.calendar
            case.calendar = later["calendar"] = acting.owners.teams[team].calendar
    return _moved(acting, case, Move.ASSIGN, None, later, before)


def resolve(
    acting: Acting,
    reference: str,
    code: Resolution,
    note: str,
    *,
    sub_reason: FalsePositive | None = None,
    approver: str | None = None,
    until: datetime | None = None,
    duplicate_of: str | None = None,
) -> Case:
    """Close provisionally: the check has the last word.

    `false_positive` needs a sub-reason and holds for 90 days, `accepted_risk` an approver other than the actor and
    an expiry; both only up to the present amount. `duplicate_of` needs the other case and holds while it is active.
    """
    case = _locked(acting, reference)
    if not note.strip():
        raise MoveRefused(f"Say how {case.reference} was resolved; an auditor reads it a year from now.")
    later: dict[str, Any] = {"resolution": code.value}
    if code is Resolution.AUTO_VERIFIED:
        raise MoveRefused("Only a check can say auto_verified; choose what you did.")
    if code is Resolution.FALSE_POSITIVE:
        later |= _false_positive(acting, case, sub_reason)
    elif code is Resolution.ACCEPTED_RISK:
        later |= _accepted_risk(acting, case, approver, until)
    elif code is Resolution.DUPLICATE_OF:
        later |= _duplicate(acting, case, duplicate_of)
    case.resolution, case.resolution_note, case.resolved_at = code.value, note, acting.now
    case.pending_until = case.pending_reason = None
    return _moved(acting, case, Move.RESOLVE, note, later)


def dispute(acting: Acting, reference: str, note: str, *, disputed: bool = True) -> Case:
    """A disputed case is not resolved by its check: a person has to say how it ended."""
    case = _locked(acting, reference)
    before, case.disputed = {"disputed": case.disputed}, disputed
    return _moved(acting, case, Move.COMMENT, note, {"disputed": disputed}, before)


def case_number(reference: str) -> int:
    """12 from "EXC-12"; CaseUnknown for anything else."""
    found = _REFERENCE.fullmatch(reference.strip())
    if found is None:
        raise CaseUnknown(f"{reference!r} is no exception; references look like EXC-12.")
    return int(found[1])


def _locked(acting: Acting, reference: str) -> Case:
    # The case alone: what sweeps write lies in `case_seen`, and a person does not wait for a sweep.
    statement = select(Case).where(Case.number == case_number(reference)).with_for_update(of=Case, key_share=True)
    case = acting.session.scalar(statement.execution_options(populate_existing=True))
    if case is None:
        raise CaseUnknown(f"There is no exception {reference}.")
    return case


def _moved(
    acting: Acting,
    case: Case,
    move: Move,
    note: str | None,
    later: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
    *,
    pending: State | None = None,
) -> Case:
    was = State(case.state)
    now_is = after(case.reference, was, move, pending)
    changed = {"state": was.value} if was is not now_is else {}
    case.state = now_is
    happened = Happening(case.number, move, now_is, note, {**changed, **(before or {})}, later or {})
    write(acting.session, acting.now, acting.actor, happened)
    refresh(acting.session, acting.owners, [case], acting.now)
    return case


def _false_positive(acting: Acting, case: Case, sub_reason: FalsePositive | None) -> dict[str, Any]:
    if sub_reason is None:
        known = ", ".join(FalsePositive)
        raise MoveRefused(f"Say what misled the check about {case.reference}: {known}.")
    case.accepted_until, case.accepted_amount = acting.now + FALSE_POSITIVE_HOLDS, case.amount
    return {"sub_reason": sub_reason.value, "accepted_until": case.accepted_until.isoformat()}


def _accepted_risk(acting: Acting, case: Case, approver: str | None, until: datetime | None) -> dict[str, Any]:
    if approver is None or approver not in acting.owners.people or approver == acting.actor:
        raise MoveRefused(f"Accepting the risk of {case.reference} needs another person's approval; name them.")
    if until is None or until <= acting.now:
        raise MoveRefused(f"The risk of {case.reference} is accepted until a day that is still to come; name it.")
    case.accepted_until, case.accepted_amount = until, case.amount
    return {"approver": approver, "accepted_until": until.isoformat()}


def _duplicate(acting: Acting, case: Case, duplicate_of: str | None) -> dict[str, Any]:
    number = case_number(duplicate_of or "")
    other = acting.session.get(Case, number)
    if other is None or number == case.number or State(other.state) not in ACTIVE:
        raise MoveRefused(f"{case.reference} can only duplicate another exception that is still active.")
    case.duplicate_of = number
    return {"duplicate_of": other.reference}
