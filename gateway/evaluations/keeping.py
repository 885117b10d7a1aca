"""Keeps what came of a sweep, check by check. The transaction is the caller's."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from checks.contract import Mode, Outcome
from checks.findings import Evaluation, Finding
from gateway.evaluations.tables import NOBODY, CheckState, ShadowFinding
from gateway.exceptions.tables import ACTIVE_SQL

KEPT = 200  # of one check: enough to judge it by, and a wrong statement finds millions
_SAID_ONCE = ("fingerprint", "first_seen_at")


def keep(session: Session, evaluations: Iterable[Evaluation], snapshot: str, now: datetime) -> None:
    """The state of each check that was asked, and what those in shadow found; an earlier one is replaced.

    A check that found nothing among some accounts has still failed while others have cases, and still waits where
    others have rows that nobody could judge.
    """
    for evaluation in evaluations:
        check = evaluation.check
        outcome, reason, waiting = _of_all(session, evaluation)
        state = {
            "outcome": outcome.value,
            "reason": reason,
            "waiting": dict(waiting),
            "evaluated_at": now,
            "snapshot": snapshot,
        }
        statement = insert(CheckState).values(check_id=check.id, **state)
        session.execute(statement.on_conflict_do_update(index_elements=["check_id"], set_=state))
        if check.mode is not Mode.SHADOW:
            session.execute(delete(ShadowFinding).where(ShadowFinding.check_id == check.id))
        elif evaluation.outcome in (Outcome.PASSED, Outcome.FAILED):
            _keep_found(session, evaluation, now)


def _of_all(session: Session, evaluation: Evaluation) -> tuple[Outcome, str | None, Counter[str]]:
    """Outcome, reason and waiting rows by account, with what is known of accounts that were not asked about."""
    outcome, reason = evaluation.outcome, evaluation.reason
    waiting = Counter(row.account_key or NOBODY for row in evaluation.waiting)
    if evaluation.accounts is None or not evaluation.conclusive:
        return outcome, reason, waiting
    before = session.get(CheckState, evaluation.check.id)
    if before is not None:
        waiting += Counter({who: n for who, n in before.waiting.items() if who not in evaluation.accounts})
    if _has_cases(session, evaluation.check.id):
        return Outcome.FAILED, reason, waiting
    if before is not None and waiting and outcome is Outcome.PASSED:
        return Outcome.NOT_EVALUATED, before.reason, waiting
    return outcome, reason, waiting


def not_evaluated(session: Session) -> set[str]:
    """The checks of which nobody could tell anything when they were last asked."""
    states = session.execute(
        select(CheckState.check_id, CheckState.waiting).where(CheckState.outcome == Outcome.NOT_EVALUATED.value)
    )
    return {check for check, waiting in states if not waiting}


def _has_cases(session: Session, check: str) -> bool:
    active = text(f"SELECT 1 FROM cases WHERE check_id = :check AND current AND {ACTIVE_SQL} LIMIT 1")
    return session.execute(active, {"check": check}).first() is not None


def _keep_found(session: Session, evaluation: Evaluation, now: datetime) -> None:
    """The largest of what was found, one row per fingerprint; what was asked about and is not there any more goes."""
    largest = sorted(evaluation.findings, key=lambda finding: (-finding.amount, finding.record))
    found = {one.fingerprint: _row(one, now) for one in reversed(largest[:KEPT])}
    gone = delete(ShadowFinding).where(ShadowFinding.check_id == evaluation.check.id)
    if evaluation.accounts is not None:
        gone = gone.where(ShadowFinding.account_key.in_(evaluation.accounts))
    session.execute(gone.where(ShadowFinding.fingerprint.not_in(found)))
    if found:
        statement = insert(ShadowFinding)
        changed = {c.name: c for c in statement.excluded if c.name not in _SAID_ONCE}
        upserted = statement.on_conflict_do_update(index_elements=["fingerprint"], set_=changed)
        session.execute(upserted, list(found.values()))


def _row(finding: Finding, now: datetime) -> dict[str, Any]:
    return {
        "fingerprint": finding.fingerprint,
        "check_id": finding.check,
        "record": str(finding.record),
        "account_key": finding.account_key,
        "severity": finding.severity.value,
        "money_kind": finding.kind.value,
        "amount": finding.amount,
        "currency": finding.currency,
        "message": finding.message,
        "arithmetic": finding.arithmetic,
        "evidence": [str(record) for record in finding.evidence],
        "first_seen_at": now,
        "last_seen_at": now,
    }
