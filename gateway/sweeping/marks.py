"""Up to where each check has been evaluated, and which accounts it is to be asked about again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.exceptions.states import Resolution
from gateway.exceptions.tables import ACTIVE_SQL
from gateway.sweeping.tables import SweepMark

Accounts = dict[str, set[str]]

_DUE = """
SELECT l.check_id, l.account_key FROM sweep_later l
LEFT JOIN unnest(CAST(:checks AS text[]), CAST(:known AS timestamptz[])) AS until (check_id, known) USING (check_id)
WHERE (l.waits_for = 'clock' AND l.at <= :now) OR (l.waits_for = 'watermark' AND l.at <= until.known)
"""
# Cases that a clean evaluation may resolve or verify, those that were opened by somebody else since, and those for
# which nobody answers any more.
_CASES = f"""
SELECT DISTINCT c.check_id, coalesce(c.account_key, '') FROM cases c
JOIN case_seen s ON s.case_number = c.number JOIN sweep_marks m ON m.check_id = c.check_id
LEFT JOIN cases original ON original.number = c.duplicate_of
WHERE c.current AND (
    ({ACTIVE_SQL.replace("state", "c.state")} AND (s.clean_streak > 0 OR s.last_at > m.swept_at))
    OR (c.state = 'resolved' AND CASE
        WHEN c.resolution = ANY(:answered_for) THEN coalesce(c.accepted_until <= :now, true)
        WHEN c.resolution = :duplicate THEN original.state IN ('resolved', 'verified')
        ELSE true END))
"""


def marks(session: Session) -> dict[str, SweepMark]:
    """By check."""
    return {mark.check_id: mark for mark in session.scalars(select(SweepMark))}


def due(session: Session, known: Mapping[str, datetime | None], now: datetime) -> Accounts:
    """Per check the accounts with a row whose time has come; NOBODY where it is a row of none.

    `known`: up to which stamp each check may claim absence.
    """
    said = {"now": now, "checks": list(known), "known": list(known.values())}
    return _grouped(session.execute(text(_DUE), said).all())


def unsettled(session: Session, now: datetime) -> Accounts:
    """Per check the accounts of cases that another evaluation may close or bring back; NOBODY where it is of none."""
    answered_for = [Resolution.ACCEPTED_RISK.value, Resolution.FALSE_POSITIVE.value]
    said = {"now": now, "answered_for": answered_for, "duplicate": Resolution.DUPLICATE_OF.value}
    return _grouped(session.execute(text(_CASES), said).all())


def _grouped(rows: Iterable[Any]) -> Accounts:
    grouped: Accounts = {}
    for check, account in rows:
        grouped.setdefault(check, set()).add(account)
    return grouped
