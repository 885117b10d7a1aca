"""The story of a case in sentences: what happened, what it changed, who was told. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.console import words
from gateway.console.words import Names
from gateway.exceptions.events import SYSTEM
from gateway.exceptions.states import Move, State
from gateway.exceptions.tables import CaseEvent

_HEADLINES: Mapping[str, str] = {
    Move.OPEN: "Opened",
    Move.ACKNOWLEDGE: "Acknowledged",
    Move.EXPIRE: "Acknowledgement expired",
    Move.START: "Work started",
    Move.RESUME: "Resumed",
    Move.RESOLVE: "Resolved, until its check agrees",
    Move.CLEAR: "Resolved by its check",
    Move.VERIFY: "Verified",
    Move.REGRESS: "Came back; a new cycle begins",
    Move.ASSIGN: "Assigned",
    Move.COMMENT: "Comment",
    Move.CHANGE: "Finding changed",
}
_ESCALATIONS: Mapping[str, str] = {
    "at_risk": "Deadline near",
    "breached": "Deadline passed",
    "rung": "Escalated",
    "orphaned": "Orphaned",
}


@dataclass(frozen=True)
class Told:
    """One event: `headline` says what happened, `details` what came with it, `note` is in the actor's own words."""

    at: datetime
    actor: str
    by_system: bool
    headline: str
    details: Sequence[str]
    note: str | None


def told(events: Sequence[CaseEvent], names: Names) -> list[Told]:
    """The newest first."""
    return [_told(event, names) for event in reversed(events)]


def _told(event: CaseEvent, names: Names) -> Told:
    return Told(
        at=event.at,
        actor=names.actor(event.actor),
        by_system=event.actor.startswith(SYSTEM),
        headline=_headline(event),
        details=list(_details(event.before, event.after, names)),
        note=event.note,
    )


def _headline(event: CaseEvent) -> str:
    if event.move == Move.PEND:
        return words.state(State(event.state))
    if event.move == Move.ESCALATE:
        return _ESCALATIONS.get(event.after.get("kind", ""), "Escalated")
    return _HEADLINES.get(event.move, words.title(event.move))


def _details(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> Iterator[str]:
    for role in ("business_owner", "technical_owner"):
        if role in after:
            yield f"{words.title(role)}: {_change(names.person, before.get(role), after[role])}"
    if "severity" in after:
        yield f"Severity: {_change(str, before.get('severity'), after['severity'])}"
    if "amount" in after:
        currency = after.get("currency")
        amount = _change(lambda value: words.money(value, currency), before.get("amount"), after["amount"])
        yield f"Amount: {amount} {currency or ''}".rstrip()
    for name in ("until", "accepted_until"):
        if after.get(name):
            yield f"{words.title(name)}: {words.instant(datetime.fromisoformat(after[name]))}"
    for name in ("resolution", "sub_reason"):
        if name in after:
            yield f"{words.title(name)}: {words.title(after[name]).lower()}"
    if "approver" in after:
        yield f"Approved by: {names.person(after['approver'])}"
    for name in ("duplicate_of", "recurrence_of"):
        if name in after:
            yield f"{words.title(name)}: {after[name]}"
    if after.get("told"):
        yield f"Told: {', '.join(names.told(one) for one in after['told'])}"


def _change(said: Any, before: Any, after: Any) -> str:
    return str(said(after)) if before is None else f"{said(before)} → {said(after)}"
