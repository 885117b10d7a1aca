"""Keeps what came of a sweep, check by check. The transaction is the caller's."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from checks.contract import Mode, Outcome
from checks.findings import Evaluation, Finding
from gateway.evaluations.tables import CheckState, ShadowFinding
from gateway.exceptions.tables import ACTIVE_SQL

KEPT = 200  # of one check: enough to judge it by, and a wrong statement finds millions
_SAID_ONCE = ("fingerprint", "first_seen_at")


def keep(session: Session, evaluations: Iterable[Evaluation], snapshot: str, now: datetime) -> None:
    """The state of each check that was asked, and what those in shadow found; an earlier one is replaced.

    A check that found nothing among some accounts has still failed while others have cases.
    """
    for evaluation in evaluations:
        check = evaluation.check
        still = evaluation.accounts is not None and evaluation.conclusive and _has_cases(session, check.id)
        state = {
            "mode": check.mode.value,
            "outcome": Outcome.FAILED.value if still else evaluation.outcome.value,
            "reason": evaluation.reason,
            "waiting": len(evaluation.waiting),
            "evaluated_at": now,
            "snapshot": snapshot,
        }
        statement = insert(CheckState).values(check_id=check.id, **state)
        session.execute(statement.on_conflict_do_update(index_elements=["check_id"], set_=state))
        if check.mode is not Mode.SHADOW:
            session.execute(delete(ShadowFinding).where(ShadowFinding.check_id == check.id))
        elif evaluation.outcome in (Outcome.PASSED, Outcome.FAILED):
            _keep_found(session, evaluation, now)


def not_evaluated(session: Session) -> set[str]:
    """The checks of which nobody could tell anything when they were last asked."""
    of_none = select(CheckState.check_id).where(
        CheckState.outcome == Outcome.NOT_EVALUATED.value, CheckState.waiting == 0
    )
    return set(session.scalars(of_none))


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
