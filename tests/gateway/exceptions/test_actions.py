"""What people may do to a case, what they may not, and what is written down."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.db.session import Database
from gateway.exceptions.actions import (
    Acting,
    acknowledge,
    assign,
    comment,
    pend,
    resolve,
    resume,
    start,
)
from gateway.exceptions.errors import CaseUnknown, MoveRefused
from gateway.exceptions.queue import take_in
from gateway.exceptions.states import FalsePositive, Resolution, State
from gateway.exceptions.tables import AuditEntry, CaseEvent
from tests.gateway.exceptions.queue_world import DAY, HOUR, NOW, OWNERS, context, failed, finding, owners, said


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session with two open cases, EXC-1 and EXC-2."""
    with database.session() as opened:
        take_in(opened, [failed(finding("CL-1"), finding("CL-2"))], context(NOW), NOW)
        yield opened


def ann(session: Session, at: datetime = NOW + HOUR) -> Acting:
    return Acting(session, OWNERS, "ann", at)


def test_the_way_of_a_case(session: Session) -> None:
    assert acknowledge(ann(session), "EXC-1").state == "acknowledged"
    assert start(ann(session, NOW + 2 * HOUR), "exc-1").state == "in_progress"
    waiting = pend(
        ann(session, NOW + 3 * HOUR), "1", State.PENDING_VENDOR, reason="asked the vendor", until=NOW + 2 * DAY
    )
    assert (waiting.state, waiting.pending_reason) == ("pending_vendor", "asked the vendor")
    assert resume(ann(session, NOW + DAY), "EXC-1").pending_until is None
    done = resolve(ann(session, NOW + DAY), "EXC-1", Resolution.CORRECTED_INVOICE, "billed with INV-77")
    assert (done.state, done.resolution, done.next_step_at) == ("resolved", "corrected_invoice", None)
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_number == 1).order_by(CaseEvent.id)).all()
    assert [(event.move, event.actor) for event in events] == [
        ("opened", "tieout:sweep"),
        ("acknowledged", "ann"),
        ("started", "ann"),
        ("pended", "ann"),
        ("resumed", "ann"),
        ("resolved", "ann"),
    ]
    assert events[-1].before == {"state": "in_progress"}


def test_each_action_is_in_the_audit_log(session: Session) -> None:
    acknowledge(ann(session), "EXC-1", "mine")
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.subject, entry.actor, entry.at) == ("case.acknowledged", "EXC-1", "ann", NOW + HOUR)
    assert entry.after == {"state": "acknowledged", "note": "mine"}


def test_only_members_of_the_owning_teams_acknowledge(session: Session) -> None:
    with pytest.raises(MoveRefused, match="belongs to billing and it"):
        acknowledge(Acting(session, OWNERS, "eve", NOW), "EXC-1")
    assert acknowledge(Acting(session, OWNERS, "joe", NOW), "EXC-1").acknowledged_at == NOW


def test_illegal_moves_are_refused(session: Session) -> None:
    with pytest.raises(MoveRefused, match="EXC-1 is open and cannot be started"):
        start(ann(session), "EXC-1")
    with pytest.raises(MoveRefused, match="cannot be resolved by hand"):
        resolve(ann(session), "EXC-1", Resolution.FIXED_AT_SOURCE, "done")


@pytest.mark.parametrize("reference", ["EXC-99", "99", "INV-1", "", "EXC-"])
def test_a_case_that_is_not_there(session: Session, reference: str) -> None:
    with pytest.raises(CaseUnknown):
        comment(ann(session), reference, "hello")


def test_waiting_moves_the_deadline(session: Session) -> None:
    acknowledge(ann(session, NOW), "EXC-1")
    started = start(ann(session, NOW), "EXC-1")
    before = started.resolve_due_at
    waiting = pend(ann(session, NOW), "EXC-1", State.PENDING_CUSTOMER, reason="their PO", until=NOW + DAY)
    assert before is not None
    assert waiting.resolve_due_at == before + DAY
    early = resume(ann(session, NOW + HOUR), "EXC-1")
    assert early.resolve_due_at == before + HOUR


def test_waiting_needs_a_reason_and_a_day_to_come(session: Session) -> None:
    acknowledge(ann(session), "EXC-1")
    start(ann(session), "EXC-1")
    with pytest.raises(MoveRefused, match="what EXC-1 waits for"):
        pend(ann(session), "EXC-1", State.PENDING_CUSTOMER, reason=" ", until=NOW + DAY)
    with pytest.raises(MoveRefused, match="has passed"):
        pend(ann(session), "EXC-1", State.PENDING_CUSTOMER, reason="x", until=NOW + HOUR)


def test_assigning_within_the_team_changes_the_person_only(session: Session) -> None:
    case = assign(ann(session), "EXC-1", "bob")
    assert (case.business_owner, case.business_team, case.state) == ("bob", "billing", "open")
    case = assign(ann(session), "EXC-1", "joe", role="technical")
    assert (case.technical_owner, case.technical_team) == ("joe", "it")


def test_assigning_to_another_team_takes_its_calendar_from_now_on(session: Session) -> None:
    world = said()
    (east,) = world["calendars"]["east"]
    world["calendars"]["round"] = [{**east, "hours": {day: ["00:00-24:00"] for day in east["hours"]}}]
    world["teams"]["it"]["calendar"] = "round"
    acting = Acting(session, owners(**world), "ann", NOW + HOUR)
    case = assign(acting, "EXC-1", "ida")
    assert (case.business_team, case.calendar) == ("it", "round")
    # One of sixteen hours was used in the office; the other 15/8 days are days of 24 hours.
    assert case.resolve_due_at == NOW + HOUR + 15 * DAY / 8


def test_nobody_owns_a_closed_case_and_nobody_outside_a_team_owns_any(session: Session) -> None:
    with pytest.raises(MoveRefused, match="eve is in no team"):
        assign(ann(session), "EXC-1", "eve")
    acknowledge(ann(session), "EXC-1")
    resolve(ann(session), "EXC-1", Resolution.FIXED_AT_SOURCE, "done")
    with pytest.raises(MoveRefused, match="closed"):
        assign(ann(session), "EXC-1", "bob")


def test_a_false_positive_needs_what_misled_the_check(session: Session) -> None:
    acknowledge(ann(session), "EXC-1")
    with pytest.raises(MoveRefused, match="what misled the check"):
        resolve(ann(session), "EXC-1", Resolution.FALSE_POSITIVE, "no")
    case = resolve(ann(session), "EXC-1", Resolution.FALSE_POSITIVE, "no", sub_reason=FalsePositive.COTERM)
    assert case.accepted_until == NOW + HOUR + 90 * DAY


def test_accepting_a_risk_needs_somebody_else_and_an_end(session: Session) -> None:
    acknowledge(ann(session), "EXC-1")
    later = NOW + 9 * DAY
    for approver in (None, "ann", "nobody"):
        with pytest.raises(MoveRefused, match="another person's approval"):
            resolve(ann(session), "EXC-1", Resolution.ACCEPTED_RISK, "ok", approver=approver, until=later)
    with pytest.raises(MoveRefused, match="still to come"):
        resolve(ann(session), "EXC-1", Resolution.ACCEPTED_RISK, "ok", approver="eve", until=NOW)
    case = resolve(ann(session), "EXC-1", Resolution.ACCEPTED_RISK, "ok", approver="eve", until=later)
    assert (case.accepted_until, case.accepted_amount) == (later, case.amount)


def test_a_duplicate_names_another_active_case(session: Session) -> None:
    acknowledge(ann(session), "EXC-1")
    with pytest.raises(MoveRefused, match="another exception that is still active"):
        resolve(ann(session), "EXC-1", Resolution.DUPLICATE_OF, "same", duplicate_of="EXC-1")
    case = resolve(ann(session), "EXC-1", Resolution.DUPLICATE_OF, "same", duplicate_of="EXC-2")
    assert case.duplicate_of == 2


def test_only_a_check_verifies_and_every_resolution_says_how(session: Session) -> None:
    acknowledge(ann(session), "EXC-1")
    with pytest.raises(MoveRefused, match="Only a check"):
        resolve(ann(session), "EXC-1", Resolution.AUTO_VERIFIED, "trust me")
    with pytest.raises(MoveRefused, match="Say how"):
        resolve(ann(session), "EXC-1", Resolution.FIXED_AT_SOURCE, "")
    with pytest.raises(MoveRefused, match="empty comment"):
        comment(ann(session), "EXC-1", "  ")
