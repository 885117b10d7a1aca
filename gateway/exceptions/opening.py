"""Opens cases, few or a hundred thousand: owners by the routes, terms frozen, deadlines, the first event."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.context import Context
from gateway.exceptions.promise import Promises
from gateway.exceptions.sightings import Sighting
from gateway.exceptions.states import State
from gateway.notices.tiers import URGENT, Route
from gateway.notices.timing import ready
from gateway.owners.routing import Assignment, Router, Subject

_COLUMNS = (
    *("fingerprint", "check_id", "check_version", "pattern", "severity", "mode", "scope", "money_kind"),
    *("account_key", "account_name", "record_system", "record_entity", "record_key", "subject"),
    *("period_start", "period_end", "invoice_key", "line_key", "content", "reads", "expected", "actual"),
    *("amount", "currency", "reporting_amount", "terms", "arithmetic", "message", "evidence", "fails_from"),
    *("confidence", "confidence_reasons", "first_detected_at", "state", "recurrence_of"),
    *("business_team", "business_owner", "technical_team", "technical_owner", "calendar", "sla_terms"),
    *("cut_off_at", "ack_due_at", "resolve_due_at", "next_step_at"),
)
_LIST = ", ".join(_COLUMNS)
_STAGE = f"""
CREATE TEMP TABLE incoming ON COMMIT DROP AS
SELECT {_LIST}, CAST(NULL AS text[]) AS told, CAST(NULL AS timestamptz) AS ready_at, CAST(NULL AS text) AS digest
FROM cases WITH NO DATA
"""
# The cases, the first event and the audit entry of each, and what their owners are to be told.
_OPEN = f"""
WITH opened AS (
  INSERT INTO cases ({_LIST}) SELECT {_LIST} FROM incoming ORDER BY fingerprint
  ON CONFLICT (fingerprint) WHERE current DO NOTHING
  RETURNING fingerprint, number, jsonb_build_object(
    'severity', severity, 'calendar', calendar, 'cut_off', CAST(:cut_off AS text), 'amount', CAST(amount AS text),
    'currency', currency, 'business_owner', business_owner, 'technical_owner', technical_owner,
    'recurrence_of', 'EXC-' || recurrence_of) AS said
), seen_first AS (
  INSERT INTO case_seen (case_number, last_at, data_at) SELECT number, :now, :data FROM opened ORDER BY number
), events AS (
  INSERT INTO case_events (case_number, at, actor, move, state, after)
  SELECT number, :now, :actor, 'opened', 'open', said FROM opened ORDER BY number
), audited AS (
  INSERT INTO audit_entries (at, actor, action, subject, after)
  SELECT :now, :actor, 'case.opened', 'EXC-' || number, said FROM opened ORDER BY number
), items AS (
  INSERT INTO notice_items (case_number, recipient, kind, severity, digest, queued_at, ready_at)
  SELECT o.number, unnest(i.told), 'opened', i.severity, i.digest, :now, i.ready_at
  FROM opened o JOIN incoming i USING (fingerprint) ORDER BY o.number
)
SELECT fingerprint, number FROM opened
"""


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
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming"))
    session.execute(text(_STAGE))
    columns = (*_COLUMNS, "told", "ready_at", "digest")
    copy_rows(session, "incoming", columns, _case_rows(openings, assigned, promises, context, now))
    cut_off = context.cut_off.isoformat() if context.cut_off else None
    said = {"now": now, "data": context.data_as_of, "actor": context.actor, "cut_off": cut_off}
    opened = session.execute(text(_OPEN), said)
    return {fingerprint: f"EXC-{number}" for fingerprint, number in opened}


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
    reads = {check: text_array(sorted(systems)) for check, systems in context.reads.items()}
    told = _Told(context, now)
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
            *(seen.content, reads.get(finding.check, "{}"), finding.expected, finding.actual, seen.amount),
            *(finding.currency, context.reporting_amount(seen.amount, finding.currency)),
            *(json.dumps({name: str(value) for name, value in finding.terms.items()}), seen.arithmetic),
            *(seen.message, json.dumps(evidence(seen.evidence)), finding.fails_from),
            *(finding.confidence, text_array(finding.confidence_reasons), now, State.OPEN.value, one.recurrence_of),
            *(who.business_team, who.business_owner, who.technical_team, who.technical_owner, who.calendar),
            *(terms.digest, context.cut_off, kept.ack_due_at, kept.resolve_due_at, kept.next_step_at),
            *told.of(seen, who),
        )


class _Told:
    """Who hears of a new case and when; the cases of one sweep share a few answers."""

    def __init__(self, context: Context, now: datetime) -> None:
        self._context = context
        self._now = now
        self._known: dict[tuple[str, Route, Assignment], tuple[str, datetime, str]] = {}

    def of(self, seen: Sighting, who: Assignment) -> tuple[str, datetime, str]:
        route = route_of(seen, self._context)
        key = seen.severity, route, who
        if key not in self._known:
            when = ready(route, self._context.owners.business_calendars[who.calendar], self._now)
            people = first_told(seen.severity, who.business_team, who.business_owner) if when else ()
            self._known[key] = (text_array(people), *(when or (self._now, "")))
        return self._known[key]


def route_of(seen: Sighting, context: Context) -> Route:
    """How the owner hears of a sighting."""
    amount = context.reporting_amount(seen.amount, seen.finding.currency)
    return context.tiers.route(seen.severity, seen.finding.confidence, amount)


def first_told(severity: str, team: str, owner: str) -> tuple[str, ...]:
    """S1 and S2: the owner and the team's channels. S3 and S4: the owner, in a digest."""
    person = f"person:{owner}"
    return (f"team:{team}", person) if severity in URGENT else (person,)


def text_array(texts: Iterable[str]) -> str:
    """A text[] as COPY takes it."""
    return json.dumps(list(texts), ensure_ascii=False).replace("[", "{", 1)[:-1] + "}"
