"""Cases that are not new: those that come back, and those whose content has changed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.context import Context
from gateway.exceptions.events import Happening, opening, write_many
from gateway.exceptions.opening import first_told, text_array
from gateway.exceptions.promise import refresh
from gateway.exceptions.sightings import Known, Sighting
from gateway.exceptions.states import Move, State, after
from gateway.exceptions.tables import Case
from gateway.notices.outbox import NoticeItem, item
from gateway.notices.tiers import Route
from gateway.notices.timing import ready

_CHANGES = (
    *("fingerprint", "severity", "money_kind", "account_key", "account_name", "content", "expected", "actual"),
    *("amount", "currency", "reporting_amount", "terms", "arithmetic", "message", "evidence"),
    *("confidence", "confidence_reasons"),
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
        route = context.tiers.route(case.severity, case.confidence, case.reporting_amount)
        _tell(session, case, "regressed", route, context, now)
    write_many(session, now, context.actor, happenings)
    refresh(session, context.owners, cases, now)


def _tell(session: Session, case: Case, kind: str, route: Route, context: Context, now: datetime) -> None:
    when = ready(route, context.owners.business_calendars[case.calendar], now)
    if when is not None:
        for recipient in first_told(case.severity, case.business_team, case.business_owner):
            session.add(item(case.number, recipient, kind, case.severity, now, when))


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
    """New amounts and words. A case may become more severe while it is open, never less; its owner hears of that."""
    if not changed:
        return
    _write_content(session, changed, context)
    happenings, raised, louder = [], [], {}
    for one in changed:
        assert one.known is not None, "only what is known changes"
        before, later = _difference(one.known, one.sighting)
        if later:
            happenings.append(Happening(one.known.number, Move.CHANGE, one.known.state, before=before, after=later))
        if "severity" in later:
            raised.append(one.known.number)
        if (before_and_now := _routes(one.known, one.sighting, context)) is not None:
            louder[one.known.number] = before_and_now
    write_many(session, now, context.actor, happenings)
    if raised or louder:
        session.expire_all()
        numbers = {*raised, *louder}
        cases = session.scalars(select(Case).where(Case.number.in_(numbers)).order_by(Case.number)).all()
        refresh(session, context.owners, [case for case in cases if case.number in raised], now)
        for case in cases:
            if case.number in louder:
                _tell_again(session, case, *louder[case.number], context, now)


def _routes(known: Known, seen: Sighting, context: Context) -> tuple[Route, Route] | None:
    """How its owner heard of it and is to hear now, where that is sooner: it was unsure, or has become urgent."""
    was = context.tiers.route(known.severity, known.confidence, known.reporting_amount)
    amount = context.reporting_amount(seen.amount, seen.finding.currency)
    now = context.tiers.route(min(known.severity, str(seen.severity)), seen.finding.confidence, amount)
    sooner = was is not now and (was is Route.REVIEW or now is Route.AT_ONCE)
    return (was, now) if sooner else None


def _tell_again(session: Session, case: Case, was: Route, route: Route, context: Context, now: datetime) -> None:
    """What waits for a digest is not told there as well."""
    waiting = (
        update(NoticeItem)
        .where(NoticeItem.case_number == case.number, NoticeItem.notice_id.is_(None), NoticeItem.digest != "")
        .where(NoticeItem.dropped.is_(None))
        .values(dropped="It became urgent before the digest, and was told at once.")
    )
    withdrawn = session.execute(waiting.returning(NoticeItem.id)).all() if route is Route.AT_ONCE else []
    is_news = was is Route.REVIEW or bool(withdrawn)
    _tell(session, case, "opened" if is_news else "raised", route, context, now)


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
            *(seen.fingerprint, str(seen.severity), finding.kind.value, finding.account_key),
            *(context.names.get(finding.account_key or ""), seen.content, finding.expected),
            *(finding.actual, seen.amount, finding.currency),
            context.reporting_amount(seen.amount, finding.currency),
            json.dumps({name: str(value) for name, value in finding.terms.items()}),
            *(seen.arithmetic, seen.message, json.dumps(evidence(seen.evidence))),
            *(finding.confidence, text_array(finding.confidence_reasons)),
        )


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
