"""Cases that a check did not find any more.

A clean evaluation counts when it was conclusive for the case: the check was asked, the case's account was covered,
none of the case's rows waits for a system, and the data are newer than
those that last showed the case and than the clean evaluation before. What could not be evaluated never counts. Two
clean evaluations resolve an active case; one verifies a case that a person has resolved.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from checks.contract import Check
from checks.findings import Evaluation
from gateway.exceptions.bulk import copy_rows
from gateway.exceptions.context import Context
from gateway.exceptions.events import Happening, write_many
from gateway.exceptions.states import Move, Resolution, State
from gateway.notices.outbox import ITEM_COLUMNS
from gateway.notices.timing import ready

CLEAN_EVALUATIONS = 2  # one may be luck: a read between two writes

_COUNT = """
UPDATE case_seen t SET clean_streak = t.clean_streak + 1, clean_data_at = :data
FROM cases c
JOIN unnest(CAST(:checks AS text[]), CAST(:versions AS int[])) AS asked (check_id, version)
  ON c.check_id = asked.check_id AND c.check_version <= asked.version
WHERE t.case_number = c.number AND c.current AND c.state <> 'verified'
  AND (CAST(:accounts AS text[]) IS NULL OR c.account_key = ANY(CAST(:accounts AS text[])))
  AND t.data_at < :data AND coalesce(t.clean_data_at, '-infinity') < :data
  AND coalesce(c.resolved_at, '-infinity') < :data
  AND NOT EXISTS (SELECT FROM seen s WHERE s.fingerprint = c.fingerprint)
  AND NOT EXISTS (SELECT FROM waiting w WHERE w.check_id = c.check_id AND (w.account_key = c.account_key
        OR (w.system = c.record_system AND w.entity = c.record_entity AND w.key = c.record_key)))
RETURNING c.number, c.state, c.severity, c.confidence, c.reporting_amount, c.calendar, c.business_owner, t.clean_streak,
          c.overridden OR c.disputed AS held, c.check_version < asked.version AS replaced
"""
_CLOSE = """
UPDATE cases SET state = 'verified', verified_at = :now, resolved_at = coalesce(resolved_at, :now),
  resolution = coalesce(resolution, 'auto_verified'), next_step_at = NULL, pending_until = NULL, pending_reason = NULL
WHERE number = ANY(:numbers)
"""


def clear(session: Session, evaluations: Sequence[Evaluation], context: Context, now: datetime) -> tuple[int, int]:
    """How many active cases were resolved, and how many resolved ones were verified. Needs the table `seen`."""
    conclusive = [one for one in evaluations if one.conclusive]
    if not conclusive:
        return 0, 0
    _stage_waiting(session, evaluations)
    rows = [
        row for accounts, checks in _covered(conclusive).items() for row in _counted(session, accounts, checks, context)
    ]
    mended = [
        row for row in rows if row.state != State.RESOLVED and row.clean_streak >= CLEAN_EVALUATIONS and not row.held
    ]
    proved = [row for row in rows if row.state == State.RESOLVED]
    _close(session, mended, proved, context, now)
    return len(mended), len(proved)


def _covered(evaluations: Sequence[Evaluation]) -> dict[frozenset[str] | None, list[Check]]:
    """The checks that were asked of the same accounts; None for all of them."""
    covered: dict[frozenset[str] | None, list[Check]] = {}
    for one in evaluations:
        covered.setdefault(one.accounts, []).append(one.check)
    return covered


def _counted(
    session: Session, accounts: frozenset[str] | None, checks: Sequence[Check], context: Context
) -> Sequence[Any]:
    """One more clean evaluation for the cases of these checks and accounts that were not seen."""
    said = {
        "data": context.data_as_of,
        "checks": [check.id for check in checks],
        "versions": [check.version for check in checks],
        "accounts": None if accounts is None else sorted(accounts),
    }
    return session.execute(text(_COUNT), said).all()


def _stage_waiting(session: Session, evaluations: Sequence[Evaluation]) -> None:
    session.execute(text("DROP TABLE IF EXISTS pg_temp.waiting"))
    session.execute(
        text(
            "CREATE TEMP TABLE waiting (check_id text, account_key text, system text, entity text, key text) "
            "ON COMMIT DROP"
        )
    )
    columns = ("check_id", "account_key", "system", "entity", "key")
    copy_rows(
        session,
        "waiting",
        columns,
        (
            (one.check.id, row.account_key, row.record.system, row.record.entity, row.record.key)
            for one in evaluations
            for row in one.waiting
        ),
    )


def _close(session: Session, mended: Sequence[Any], proved: Sequence[Any], context: Context, now: datetime) -> None:
    numbers = [row.number for row in (*mended, *proved)]
    if not numbers:
        return
    session.execute(text(_CLOSE), {"now": now, "numbers": numbers})
    session.expire_all()
    happenings = [*_resolutions(mended), *(_verification(row) for row in (*mended, *proved))]
    write_many(session, now, context.actor, happenings)
    copy_rows(session, "notice_items", ITEM_COLUMNS, _items(mended, context, now))


def _resolutions(mended: Sequence[Any]) -> Iterator[Happening]:
    for row in mended:
        note = f"Clean in {row.clean_streak} evaluations on newer data."
        if row.replaced:
            note = "A newer version of the check does not find it."
        yield Happening(
            row.number,
            Move.CLEAR,
            State.RESOLVED,
            note,
            before={"state": row.state},
            after={"resolution": Resolution.AUTO_VERIFIED.value},
        )


def _verification(row: Any) -> Happening:
    before = {"state": State.RESOLVED.value}
    return Happening(row.number, Move.VERIFY, State.VERIFIED, "Clean on data newer than the resolution.", before)


def _items(mended: Sequence[Any], context: Context, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Owners hear that a case has mended; whoever resolved one by hand knows."""
    for row in mended:
        route = context.tiers.route(row.severity, row.confidence, row.reporting_amount)
        when = ready(route, context.owners.business_calendars[row.calendar], now)
        if when is not None:
            ready_at, digest = when
            yield row.number, f"person:{row.business_owner}", "resolved", row.severity, digest, now, ready_at
