"""Writing down what happened to a case, and reading it back for the clocks."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.exceptions import audit
from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.history import Entry
from gateway.exceptions.states import State
from gateway.exceptions.tables import Case, CaseEvent

SYSTEM = "tieout:"  # what every actor that is no person begins with

_EVENT_COLUMNS = ("case_number", "at", "actor", "move", "state", "note", "before", "after", "step")
_AUDIT_COLUMNS = ("at", "actor", "action", "subject", "before", "after")


@dataclass(frozen=True)
class Happening:
    """An event that is not written yet. `after` of an opening, a return, a change or an assignment carries what
    the clocks need: severity, calendar, until, cut_off."""

    case_number: int
    move: str
    state: State
    note: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    step: str | None = None


def write(session: Session, now: datetime, actor: str, happened: Happening) -> None:
    """One event and its audit entry."""
    session.add(
        CaseEvent(
            case_number=happened.case_number,
            at=now,
            actor=actor,
            move=happened.move,
            state=happened.state,
            note=happened.note,
            before=dict(happened.before),
            after=dict(happened.after),
            step=happened.step,
        )
    )
    audit.record(
        session,
        now,
        actor,
        f"case.{happened.move}",
        f"EXC-{happened.case_number}",
        before=happened.before,
        after=_audited(happened),
    )
    session.flush()


def write_many(session: Session, now: datetime, actor: str, happenings: Collection[Happening]) -> None:
    """The same for many at once."""
    session.flush()
    copy_rows(session, "case_events", _EVENT_COLUMNS, (_event_row(now, actor, one) for one in happenings))
    copy_rows(session, "audit_entries", _AUDIT_COLUMNS, (_audit_row(now, actor, one) for one in happenings))


def histories(session: Session, numbers: Iterable[int]) -> dict[int, list[Entry]]:
    """The events of each case as the clocks take them, in the order in which they were written."""
    rows = session.execute(
        select(CaseEvent.case_number, CaseEvent.at, CaseEvent.actor, CaseEvent.move, CaseEvent.state)
        .add_columns(CaseEvent.after, CaseEvent.step)
        .where(CaseEvent.case_number.in_(list(numbers)))
        .order_by(CaseEvent.id)
    )
    found: dict[int, list[Entry]] = defaultdict(list)
    for number, at, actor, move, state, after, step in rows:
        found[number].append(
            Entry(
                at=at,
                move=move,
                state=State(state),
                by_system=actor.startswith(SYSTEM),
                severity=after.get("severity"),
                calendar=after.get("calendar"),
                until=_instant(after.get("until")),
                cut_off=_instant(after.get("cut_off")),
                step=step,
            )
        )
    return found


def opening(case: Case) -> dict[str, Any]:
    """What the first event of a cycle says: all that the clocks need, and who was made responsible."""
    return {
        "severity": case.severity,
        "calendar": case.calendar,
        "cut_off": case.cut_off_at.isoformat() if case.cut_off_at else None,
        "amount": str(case.amount),
        "currency": case.currency,
        "business_owner": case.business_owner,
        "technical_owner": case.technical_owner,
    }


def _audited(happened: Happening) -> dict[str, Any]:
    added = {"state": happened.state.value}
    return {**happened.after, **added, **({"note": happened.note} if happened.note else {})}


def _event_row(now: datetime, actor: str, one: Happening) -> tuple[Any, ...]:
    before, after = json.dumps(one.before), json.dumps(one.after)
    return one.case_number, now, actor, one.move, one.state.value, one.note, before, after, one.step


def _audit_row(now: datetime, actor: str, one: Happening) -> tuple[Any, ...]:
    before, after = json.dumps(one.before), json.dumps(_audited(one))
    return now, actor, f"case.{one.move}", f"EXC-{one.case_number}", before, after


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
