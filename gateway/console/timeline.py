"""The story of a case in sentences: what happened, what it changed, who was told. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """What the event carries, in the order of this table; what is not in it is the clocks' business."""
    if after.get("amount"):
        before, after = _with_currency(before, after["currency"]), _with_currency(after, after["currency"])
    for name, write in _writers(names).items():
        if after.get(name):
            change = [write(before[name])] if before.get(name) else []
            yield f"{words.title(name)}: {' → '.join([*change, write(after[name])])}"


def _writers(names: Names) -> Mapping[str, Callable[[Any], str]]:
    def instant(text: str) -> str:
        return words.instant(datetime.fromisoformat(text))

    def code(text: str) -> str:
        return words.title(text).lower()

    return {
        "business_owner": names.person,
        "technical_owner": names.person,
        "severity": str,
        "amount": str,
        "until": instant,
        "resolution": code,
        "sub_reason": code,
        "approver": names.person,
        "accepted_until": instant,
        "duplicate_of": str,
        "recurrence_of": str,
        "told": lambda recipients: ", ".join(names.told(one) for one in recipients),
    }


def _with_currency(said: Mapping[str, Any], currency: str | None) -> Mapping[str, Any]:
    if not said.get("amount"):
        return said
    return {**said, "amount": f"{words.money(said['amount'], currency)} {currency or ''}".strip()}
