"""Approved deviations as rows: risks that somebody accepted, with the approval of somebody else."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.exceptions.states import Resolution
from gateway.exceptions.tables import Case, CaseEvent


def given_overrides(session: Session) -> Iterator[dict[str, Any]]:
    """One row per accepted risk, also where the case has come back since."""
    said = select(CaseEvent, Case).join(Case, Case.number == CaseEvent.case_number)
    accepted = said.where(CaseEvent.after["resolution"].astext == Resolution.ACCEPTED_RISK.value)
    for event, case in session.execute(accepted):
        yield {
            "key": f"{case.reference}/{event.id}",
            "account_key": case.account_key,
            "modified_at": event.at,
            "check": case.check_id,
            "invoice_key": case.invoice_key,
            "reason": event.note,
            "requested_by": event.actor,
            "approved_by": event.after.get("approver"),
            "approved_at": event.at,
            "expires_at": datetime.fromisoformat(event.after["accepted_until"]),
            "amount": case.accepted_amount if case.accepted_amount is not None else case.amount,
            "currency": case.currency,
        }
