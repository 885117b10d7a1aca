"""A case as machines read it: the one JSON shape of the API and of `tieout exceptions --json`."""

from decimal import Decimal
from typing import Any

from gateway.exceptions.clocks import Clock
from gateway.exceptions.search import CaseFile, Page
from gateway.exceptions.tables import Case


def case_shape(case: Case) -> dict[str, Any]:
    """What a list shows of a case. Amounts and instants are text."""
    return {
        "reference": case.reference,
        "check": case.check_id,
        "severity": case.severity,
        "state": case.state,
        "regressed": case.regressed,
        "account": {"key": case.account_key, "name": case.account_name},
        "record": {"system": case.record_system, "entity": case.record_entity, "key": case.record_key},
        "period": {"start": _text(case.period_start), "end": _text(case.period_end)},
        "message": case.message,
        "impact": {"kind": case.money_kind, "amount": _text(case.amount), "currency": case.currency},
        "confidence": _text(case.confidence),
        "confidence_reasons": case.confidence_reasons,
        "owners": {"business": case.business_owner, "technical": case.technical_owner},
        "teams": {"business": case.business_team, "technical": case.technical_team},
        "first_detected_at": _text(case.first_detected_at),
        "ack_due_at": _text(case.ack_due_at),
        "resolve_due_at": _text(case.resolve_due_at),
    }


def file_shape(file: CaseFile) -> dict[str, Any]:
    """A case with its arithmetic, evidence, clocks and timeline."""
    case = file.case
    present = file.cycles[-1]
    return {
        **case_shape(case),
        "expected": _text(case.expected),
        "actual": _text(case.actual),
        "arithmetic": case.arithmetic,
        "terms": case.terms,
        "evidence": case.evidence,
        "clocks": {"ack": _clock(present.ack), "resolve": _clock(present.resolve)},
        "timeline": [
            {"at": _text(event.at), "actor": event.actor, "move": event.move, "state": event.state, "note": event.note}
            for event in file.events
        ],
    }


def page_shape(page: Page) -> dict[str, Any]:
    """A page of the queue with its totals per currency and kind."""
    totals = [
        {"kind": total.money_kind, "currency": total.currency, "cases": total.cases, "amount": _text(total.amount)}
        for total in page.totals
    ]
    return {
        "found": page.found,
        "page": page.page,
        "pages": page.pages,
        "totals": totals,
        "exceptions": [case_shape(case) for case in page.cases],
    }


def _clock(clock: Clock | None) -> dict[str, Any] | None:
    return None if clock is None else {"state": clock.state.value, "due_at": _text(clock.due_at)}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return (
        f"{value:f}" if isinstance(value, Decimal) else value.isoformat() if hasattr(value, "isoformat") else str(value)
    )
