"""Cases that are not new: those that come back, and those whose content has changed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.context import Context
from gateway.exceptions.events import Happening, opening, write_many
from gateway.exceptions.opening import first_told
from gateway.exceptions.promise import refresh
from gateway.exceptions.sightings import Known, Sighting
from gateway.exceptions.states import Move, State, after
from gateway.exceptions.tables import Case
from gateway.notices.outbox import item
from gateway.notices.timing import ready

_CHANGES = (
    *("fingerprint", "severity", "money_kind", "content", "expected", "actual", "amount", "currency"),
    *("reporting_amount", "terms", "arithmetic", "message", "evidence"),
)


@dataclass(frozen=True)
class Sighted:
    """A sighting beside what the queue had of it."""

    sighting: Sighting
    known: Known | None


def reopen(session: Session, returned: Sequence[Sighted], context: Context, now: datetime) -> None:
    """The same case, a new cycle with both clocks anew, and the mark that it was thought to be mended."""
    seen = {one.sighting.fingerprint: one.sighting for one in returned}
    if not seen:
        return
    statement = select(Case).where(Case.current, Case.fingerprint.in_(seen)).order_by(Case.number)
    cases = list(
        session.scalars(statement.with_for_update(of=Case, key_share=True).execution_options(populate_existing=True))
    )
    _write_content(session, returned, context)
    session.expire_all()
    happenings = []
    for case in cases:
        before = {"state": case.state, "resolution": case.resolution, "cycle": case.cycle}
        _open_again(case, seen[case.fingerprint], context, now)
        happenings.append(
            Happening(
                case.number, Move.REGRESS, State.OPEN, before=before, after={**opening(case), "cycle": case.cycle}
            )
        )
        when = ready("regressed", case.severity, context.owners.business_calendars[case.calendar], now)
        for recipient in first_told(case.severity, case.business_team, case.business_owner):
            session.add(item(case.number, recipient, "regressed", case.severity, now, when))
    write_many(session, now, context.actor, happenings)
    refresh(session, context.owners, cases, now)


def _open_again(case: Case, seen: Sighting, context: Context, now: datetime) -> None:
    case.state = after(case.reference, State(case.state), Move.REGRESS)
    case.severity = seen.severity
    case.cycle += 1
    case.regressed = True
    case.cut_off_at = context.cut_off
    case.seen.last_at, case.seen.data_at = now, context.data_as_of
    case.seen.occurrences += 1
    case.seen.clean_streak, case.seen.clean_data_at = 0, None
    case.acknowledged_at = case.resolved_at = case.verified_at = None
    case.resolution = case.resolution_note = case.duplicate_of = None
    case.accepted_until = case.accepted_amount = None


def apply_changes(session: Session, changed: Sequence[Sighted], context: Context, now: datetime) -> None:
    """New amounts and words. A case may become more severe while it is open, never less."""
    if not changed:
        return
    _write_content(session, changed, context)
    happenings, raised = [], []
    for one in changed:
        assert one.known is not None, "only what is known changes"
        before, later = _difference(one.known, one.sighting)
        if later:
            happenings.append(Happening(one.known.number, Move.CHANGE, one.known.state, before=before, after=later))
        if "severity" in later:
            raised.append(one.known.number)
    write_many(session, now, context.actor, happenings)
    if raised:
        session.expire_all()
        cases = session.scalars(select(Case).where(Case.number.in_(raised)).order_by(Case.number)).all()
        refresh(session, context.owners, cases, now)


def _difference(known: Known, seen: Sighting) -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    later: dict[str, Any] = {}
    if known.amount != seen.amount:
        before["amount"] = _plain(known.amount)
        later |= {"amount": _plain(seen.amount), "currency": seen.finding.currency}
    if seen.severity < known.severity:
        before["severity"], later["severity"] = known.severity, str(seen.severity)
    return before, later


def _write_content(session: Session, sighted: Sequence[Sighted], context: Context) -> None:
    session.flush()
    session.execute(text("DROP TABLE IF EXISTS pg_temp.changed"))
    columns = ", ".join(_CHANGES)
    session.execute(text(f"CREATE TEMP TABLE changed ON COMMIT DROP AS SELECT {columns} FROM cases WITH NO DATA"))
    copy_rows(session, "changed", _CHANGES, _content_rows(sighted, context))
    assignments = ", ".join(f"{name} = n.{name}" for name in _CHANGES if name not in ("fingerprint", "severity"))
    session.execute(
        text(
            f"UPDATE cases c SET {assignments}, severity = least(c.severity, n.severity) "
            "FROM changed n WHERE c.current AND c.fingerprint = n.fingerprint"
        )
    )


def _content_rows(sighted: Sequence[Sighted], context: Context) -> Iterator[tuple[Any, ...]]:
    evidence = context.evidence_rows([one.sighting.evidence for one in sighted])
    for seen in (one.sighting for one in sighted):
        finding = seen.finding
        yield (
            *(seen.fingerprint, str(seen.severity), finding.kind.value, seen.content, finding.expected),
            *(finding.actual, seen.amount, finding.currency),
            context.reporting_amount(seen.amount, finding.currency),
            json.dumps({name: str(value) for name, value in finding.terms.items()}),
            *(seen.arithmetic, seen.message, json.dumps(evidence(seen.evidence))),
        )


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
