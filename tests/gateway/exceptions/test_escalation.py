"""The steps that are due are carried out once: events, states, and who is told."""

from datetime import datetime

from sqlalchemy import select

from checks.contract import Severity
from gateway.db.session import Database
from gateway.exceptions.actions import Acting, acknowledge, pend, start
from gateway.exceptions.escalation import Escalated, run_escalations
from gateway.exceptions.queue import take_in
from gateway.exceptions.states import State
from gateway.exceptions.tables import Case, CaseEvent
from gateway.notices.outbox import NoticeItem
from tests.gateway.exceptions.queue_world import DAY, HOUR, NOW, OWNERS, context, failed, finding, passed


def urgent(database: Database) -> None:
    """EXC-1 of S1, open since NOW."""
    with database.session() as session:
        take_in(session, [failed(finding(severity=Severity.S1))], context(NOW), NOW)


def run(database: Database, at: datetime) -> Escalated:
    with database.session() as session:
        return run_escalations(session, OWNERS, at)


def told(database: Database) -> list[tuple[str, str]]:
    """Kind and recipient of what was queued after the opening."""
    with database.session() as session:
        items = session.scalars(select(NoticeItem).where(NoticeItem.kind != "opened").order_by(NoticeItem.id))
        return [(item.kind, item.recipient) for item in items]


def test_before_anything_is_due_nothing_happens(database: Database) -> None:
    urgent(database)
    assert run(database, NOW) == Escalated(0, 0, False)


def test_an_unacknowledged_case_climbs_the_ladder(database: Database) -> None:
    urgent(database)
    run(database, NOW + HOUR / 2)
    assert told(database) == [("reminder", "person:ann")]
    run(database, NOW + HOUR)
    assert told(database)[1:] == [("escalated", "person:ann")]
    run(database, NOW + 2 * HOUR)
    assert told(database)[2:] == [("breached", "person:ann"), ("escalated", "person:eve")]


def test_twice_with_the_same_now_is_once(database: Database) -> None:
    urgent(database)
    assert run(database, NOW + 2 * HOUR).steps == 3
    before = told(database)
    assert run(database, NOW + 2 * HOUR) == Escalated(0, 0, False)
    assert told(database) == before


def test_an_acknowledgement_that_expires_opens_the_case_again(database: Database) -> None:
    urgent(database)
    with database.session() as session:
        acknowledge(Acting(session, OWNERS, "bob", NOW), "EXC-1")
    assert run(database, NOW + 2 * HOUR).steps == 1
    with database.session() as session:
        case = session.get_one(Case, 1)
        assert (case.state, case.acknowledged_at) == ("open", None)
        assert case.next_step_at == NOW + 3 * HOUR
    assert told(database) == [("reminder", "person:ann"), ("reminder", "team:billing")]


def test_a_pause_that_is_over_is_resumed(database: Database) -> None:
    urgent(database)
    with database.session() as session:
        acting = Acting(session, OWNERS, "ann", NOW)
        acknowledge(acting, "EXC-1")
        start(acting, "EXC-1")
        pend(acting, "EXC-1", State.PENDING_VENDOR, reason="their answer", until=NOW + DAY)
    run(database, NOW + DAY)
    with database.session() as session:
        case = session.get_one(Case, 1)
        assert (case.state, case.pending_until) == ("in_progress", None)
        event = session.scalars(select(CaseEvent).order_by(CaseEvent.id.desc()).limit(1)).one()
        assert (event.move, event.actor) == ("resumed", "tieout:escalation")


def test_after_all_loops_the_case_is_orphaned(database: Database) -> None:
    urgent(database)
    run(database, NOW + 5 * HOUR)
    with database.session() as session:
        assert session.get_one(Case, 1).orphaned
    assert ("escalated", "person:ida") in told(database)


def test_a_closed_case_is_left_alone(database: Database) -> None:
    urgent(database)
    for minutes in (1, 2):
        with database.session() as session:
            at = NOW + minutes * HOUR / 60
            take_in(session, [passed()], context(at), at)
    assert run(database, NOW + 9 * DAY) == Escalated(0, 0, False)


def test_a_batch_says_that_there_is_more(database: Database) -> None:
    with database.session() as session:
        many = failed(*(finding(f"CL-{number}", severity=Severity.S1) for number in range(5)))
        take_in(session, [many], context(NOW), NOW)
    with database.session() as session:
        assert run_escalations(session, OWNERS, NOW + HOUR / 2, limit=3) == Escalated(3, 3, True)
    assert run(database, NOW + HOUR / 2) == Escalated(2, 2, False)


def test_two_runs_at_once_share_the_work(database: Database) -> None:
    with database.session() as session:
        take_in(session, [failed(finding("CL-1"), finding("CL-2"))], context(NOW), NOW)
    later = NOW + 4 * HOUR
    with database.session() as first, database.session() as second:
        assert run_escalations(first, OWNERS, later, limit=1).cases == 1
        assert run_escalations(second, OWNERS, later).cases == 1
