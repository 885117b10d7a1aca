"""Sending: what arrives, what is tried again, what dies, and what a kill leaves behind."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from alerts.channel import Receipt
from alerts.errors import PermanentError, TransientError
from alerts.message import Notice
from gateway.db.session import Database
from gateway.exceptions.queue import take_in
from gateway.exceptions.tables import Case
from gateway.notices.dispatch import CLAIM, MOST_ATTEMPTS, Dispatched, backoff, dispatch
from gateway.notices.grouping import gather
from gateway.notices.outbox import NoticeRow
from gateway.notices.payload import from_document
from tests.gateway.exceptions.queue_world import HOUR, NOW, OWNERS, SEATS, Recorder, context, failed, finding

MINUTE = timedelta(minutes=1)


def queue(database: Database, at: datetime = NOW, *subjects: str) -> None:
    """One message to the channel `ops` and one to Ann."""
    with database.session() as session:
        take_in(session, [failed(*(finding(subject) for subject in subjects or ("CL-1",)))], context(at), at)
        gather(session, OWNERS, {SEATS.id: SEATS}, "http://127.0.0.1", at)


def row(database: Database, channel: str = "ops") -> NoticeRow:
    with database.session() as session:
        return session.scalars(select(NoticeRow).where(NoticeRow.channel == channel).order_by(NoticeRow.id)).all()[-1]


def undeliverable(database: Database) -> list[Case]:
    with database.session() as session:
        return list(session.scalars(select(Case).where(Case.check_id == "notice_undeliverable")))


def test_what_is_queued_is_sent_once(database: Database) -> None:
    queue(database)
    ops, ann = Recorder(), Recorder()
    channels = {"ops": ops, "person:ann": ann}
    assert dispatch(database, channels, OWNERS, NOW) == Dispatched(sent=2)
    assert dispatch(database, channels, OWNERS, NOW) == Dispatched()
    assert (len(ops.sent), len(ann.sent)) == (1, 1)
    sent = row(database)
    assert (sent.state, sent.sent_at, sent.receipt, sent.attempts) == ("sent", NOW, "r-1", 1)
    assert ops.sent[0] == from_document(sent.payload)


def test_a_transient_error_is_tried_again_with_the_same_key(database: Database) -> None:
    queue(database)
    ops = Recorder(TransientError("busy"))
    channels = {"ops": ops, "person:ann": Recorder()}
    assert dispatch(database, channels, OWNERS, NOW) == Dispatched(sent=1, failed=1)
    failed_row = row(database)
    assert (failed_row.state, failed_row.last_error, failed_row.next_attempt_at) == ("failed", "busy", NOW + MINUTE)
    assert dispatch(database, channels, OWNERS, NOW + MINUTE - timedelta(seconds=1)) == Dispatched()
    assert dispatch(database, channels, OWNERS, NOW + MINUTE) == Dispatched(sent=1)
    assert ops.sent[0].dedupe_key == failed_row.dedupe_key
    assert row(database).last_error is None


@pytest.mark.parametrize(
    ("attempts", "asked", "wait"),
    [
        (1, None, MINUTE),
        (2, None, 2 * MINUTE),
        (6, None, 32 * MINUTE),
        (7, None, HOUR),
        (40, None, HOUR),
        (1, timedelta(minutes=5), 5 * MINUTE),
        (3, timedelta(minutes=1), 4 * MINUTE),
    ],
)
def test_the_wait_between_two_attempts(attempts: int, asked: timedelta | None, wait: timedelta) -> None:
    assert backoff(attempts, asked) == wait


def test_a_permanent_error_is_a_case_for_it(database: Database) -> None:
    queue(database)
    channels = {"ops": Recorder(PermanentError("The webhook was removed.")), "person:ann": Recorder()}
    assert dispatch(database, channels, OWNERS, NOW) == Dispatched(sent=1, dead=1)
    (case,) = undeliverable(database)
    assert (case.subject, case.business_team, case.severity) == ("ops", "it", "S2")
    assert case.message == "The channel ops does not take messages: The webhook was removed."
    assert case.business_owner != case.technical_owner
    with database.session() as session:
        assert gather(session, OWNERS, {}, "http://127.0.0.1", NOW).notices == 2
    assert row(database, "it").kind == "undeliverable"


def test_the_case_mends_when_the_channel_takes_messages_again(database: Database) -> None:
    ops = Recorder(PermanentError("gone"), PermanentError("gone"))
    channels = {"ops": ops, "person:ann": Recorder(), "it": Recorder(), "person:ida": Recorder()}
    for hours in range(4):
        at = NOW + hours * HOUR
        queue(database, at, *(f"CL-{number}" for number in range(hours + 1)))
        dispatch(database, channels, OWNERS, at)
        (case,) = undeliverable(database)
        assert (case.state, case.seen.occurrences) == ("verified" if hours == 3 else "open", min(hours + 1, 2))


def test_too_many_attempts_are_the_end(database: Database) -> None:
    queue(database)
    channels = {"ops": Recorder(*(TransientError("busy") for _ in range(MOST_ATTEMPTS))), "person:ann": Recorder()}
    outcomes = [dispatch(database, channels, OWNERS, NOW + hours * HOUR) for hours in range(MOST_ATTEMPTS + 1)]
    assert [outcome.dead for outcome in outcomes] == [0] * (MOST_ATTEMPTS - 1) + [1, 0]
    assert len(undeliverable(database)) == 1


def test_a_channel_that_owners_yaml_has_lost(database: Database) -> None:
    queue(database)
    assert dispatch(database, {"person:ann": Recorder()}, OWNERS, NOW).dead == 1
    assert "no channel ops" in (row(database).last_error or "")


class KilledWhileSending:
    """Hands the message over and then does not live to say so."""

    def __init__(self) -> None:
        self.taken: list[Notice] = []

    def send(self, notice: Notice) -> Receipt:
        self.taken.append(notice)
        raise KeyboardInterrupt


def test_a_kill_while_sending_loses_nothing_and_repeats_the_same_key(database: Database) -> None:
    queue(database)
    killed = KilledWhileSending()
    with pytest.raises(KeyboardInterrupt):
        dispatch(database, {"ops": killed, "person:ann": killed}, OWNERS, NOW)
    assert len(killed.taken) == 1
    channels = {"ops": Recorder(), "person:ann": Recorder()}
    assert dispatch(database, channels, OWNERS, NOW + MINUTE).sent == 1, "the other one; the first is still claimed"
    assert dispatch(database, channels, OWNERS, NOW + CLAIM).sent == 1
    again = [notice.dedupe_key for recorder in channels.values() for notice in recorder.sent]
    assert killed.taken[0].dedupe_key in again


def test_a_row_that_another_dispatcher_holds_is_skipped(database: Database) -> None:
    queue(database)
    with database.session() as other:
        other.scalars(select(NoticeRow).where(NoticeRow.channel == "ops").with_for_update()).one()
        ann = Recorder()
        assert dispatch(database, {"ops": Recorder(), "person:ann": ann}, OWNERS, NOW).sent == 1
        assert len(ann.sent) == 1


def test_a_limit_leaves_the_rest_for_the_next_time(database: Database) -> None:
    queue(database)
    channels = {"ops": Recorder(), "person:ann": Recorder()}
    assert dispatch(database, channels, OWNERS, NOW, limit=1).sent == 1
    assert dispatch(database, channels, OWNERS, NOW).sent == 1
    with database.session() as session:
        assert session.scalar(select(func.count()).where(NoticeRow.state == "sent")) == 2
