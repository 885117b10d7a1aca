"""Opens cases, few or a hundred thousand: owners by the routes, terms frozen, deadlines, the first event."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.context import Context
from gateway.exceptions.events import Happening, write_many
from gateway.exceptions.promise import Promises
from gateway.exceptions.sightings import Sighting
from gateway.exceptions.states import State
from gateway.notices.outbox import ITEM_COLUMNS
from gateway.notices.timing import URGENT, ready
from gateway.owners.routing import Assignment, Router, Subject

_COLUMNS = (
    *("fingerprint", "check_id", "check_version", "pattern", "severity", "mode", "scope", "money_kind"),
    *("account_key", "account_name", "record_system", "record_entity", "record_key", "subject"),
    *("period_start", "period_end", "invoice_key", "line_key", "content", "reads", "expected", "actual"),
    *("amount", "currency", "reporting_amount", "terms", "arithmetic", "message", "evidence", "fails_from"),
    *("first_detected_at", "last_seen_at", "seen_data_at", "occurrences", "state", "recurrence_of"),
    *("business_team", "business_owner", "technical_team", "technical_owner", "calendar", "sla_terms"),
    *("cut_off_at", "ack_due_at", "resolve_due_at", "next_step_at"),
)


@dataclass(frozen=True)
class Opening:
    """A sighting that becomes a case, and the older case that it is a recurrence of."""

    sighting: Sighting
    recurrence_of: int | None


def open_cases(session: Session, openings: Sequence[Opening], context: Context, now: datetime) -> dict[str, str]:
    """Returns the reference by fingerprint. Where somebody else opens the same case at this moment, theirs counts."""
    if not openings:
        return {}
    router, promises = Router(context.owners, now), Promises(context.owners, now)
    assigned = {one.sighting.fingerprint: router.assign(_subject(one.sighting)) for one in openings}
    for one in openings:
        promises.terms(one.sighting.finding.check)
    promises.freeze(session)
    columns = ", ".join(_COLUMNS)
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming"))
    session.execute(text(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {columns} FROM cases WITH NO DATA"))
    copy_rows(session, "incoming", _COLUMNS, _case_rows(openings, assigned, promises, context, now))
    inserted = session.execute(
        text(
            f"INSERT INTO cases ({columns}) SELECT {columns} FROM incoming ORDER BY fingerprint "
            "ON CONFLICT (fingerprint) WHERE current DO NOTHING RETURNING fingerprint, number"
        )
    )
    numbers: dict[str, int] = dict(inserted.tuples().all())
    _write_down(session, openings, assigned, numbers, context, now)
    return {fingerprint: f"EXC-{number}" for fingerprint, number in numbers.items()}


def _subject(seen: Sighting) -> Subject:
    finding = seen.finding
    return Subject(
        finding.check,
        seen.pattern,
        finding.record.system,
        seen.severity,
        finding.account_key,
        finding.currency,
        finding.owners,
    )


def _case_rows(
    openings: Sequence[Opening],
    assigned: dict[str, Assignment],
    promises: Promises,
    context: Context,
    now: datetime,
) -> Iterator[tuple[Any, ...]]:
    evidence = context.evidence_rows([one.sighting.evidence for one in openings])
    reads = {check: sorted(systems) for check, systems in context.reads.items()}
    for one in openings:
        seen, finding = one.sighting, one.sighting.finding
        who = assigned[seen.fingerprint]
        terms = promises.terms(finding.check)
        kept = promises.opening(terms, seen.severity, who.calendar, context.cut_off)
        yield (
            *(seen.fingerprint, finding.check, finding.version, seen.pattern, seen.severity),
            *(finding.mode.value, finding.scope.value, finding.kind.value, finding.account_key),
            *(context.names.get(finding.account_key or ""), finding.record.system, finding.record.entity),
            *(finding.record.key, finding.subject, *finding.period, finding.invoice_key, finding.line_key),
            *(seen.content, reads.get(finding.check, []), finding.expected, finding.actual, seen.amount),
            *(finding.currency, context.reporting_amount(seen.amount, finding.currency)),
            *(json.dumps({name: str(value) for name, value in finding.terms.items()}), seen.arithmetic),
            *(seen.message, json.dumps(evidence(seen.evidence)), finding.fails_from),
            *(now, now, context.data_as_of, 1, State.OPEN.value, one.recurrence_of),
            *(who.business_team, who.business_owner, who.technical_team, who.technical_owner, who.calendar),
            *(terms.digest, context.cut_off, kept.ack_due_at, kept.resolve_due_at, kept.next_step_at),
        )


def _write_down(
    session: Session,
    openings: Sequence[Opening],
    assigned: dict[str, Assignment],
    numbers: dict[str, int],
    context: Context,
    now: datetime,
) -> None:
    """The opening event, its audit entry, and what the owners are told."""
    won = [one for one in openings if one.sighting.fingerprint in numbers]
    happenings, items = [], []
    calendars = context.owners.business_calendars
    readiness: dict[tuple[str, str], tuple[datetime, str]] = {}
    for one in won:
        seen = one.sighting
        number, who = numbers[seen.fingerprint], assigned[seen.fingerprint]
        happenings.append(Happening(number, "opened", State.OPEN, after=_after(one, who, context)))
        key = (seen.severity, who.calendar)
        if key not in readiness:
            readiness[key] = ready("opened", seen.severity, calendars[who.calendar], now)
        ready_at, digest = readiness[key]
        for recipient in first_told(seen.severity, who.business_team, who.business_owner):
            items.append((number, recipient, "opened", seen.severity, digest, now, ready_at))
    write_many(session, now, context.actor, happenings)
    copy_rows(session, "notice_items", ITEM_COLUMNS, items)


def first_told(severity: str, team: str, owner: str) -> tuple[str, ...]:
    """S1 and S2: the owner and the team's channels. S3 and S4: the owner, in a digest."""
    person = f"person:{owner}"
    return (f"team:{team}", person) if severity in URGENT else (person,)


def _after(one: Opening, who: Assignment, context: Context) -> dict[str, Any]:
    after = {
        "severity": one.sighting.severity,
        "calendar": who.calendar,
        "cut_off": context.cut_off.isoformat() if context.cut_off else None,
        "amount": str(one.sighting.amount),
        "currency": one.sighting.finding.currency,
        "business_owner": who.business_owner,
        "technical_owner": who.technical_owner,
    }
    return after if one.recurrence_of is None else {**after, "recurrence_of": f"EXC-{one.recurrence_of}"}
