"""Sends what is in the outbox.

1. A row is claimed in a transaction of its own: other dispatchers skip it, and its claim ends by itself.
2. It is sent outside any transaction. A kill here leaves a claim that runs out; the row is then sent again with the
   same dedupe key, by which the receiver can drop the second one.
3. What came of it is written down: sent, to be tried again later, or dead.
4. A channel with a dead message has a case for IT; it resolves when the channel has taken messages again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.channel import Channel, Receipt
from alerts.errors import AlertError, PermanentError, TransientError
from gateway.db.session import Database
from gateway.exceptions.context import Context
from gateway.exceptions.queue import take_in
from gateway.exceptions.tables import Case
from gateway.notices.outbox import NoticeRow, NoticeState
from gateway.notices.payload import from_document
from gateway.notices.undeliverable import UNDELIVERABLE, account, evaluation
from gateway.owners.model import Owners

ACTOR = "tieout:dispatch"
CLAIM = timedelta(minutes=10)  # longer than any channel may take
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
MOST_ATTEMPTS = 12  # about seven hours
_WAITING = (NoticeState.QUEUED, NoticeState.SENDING, NoticeState.FAILED)


@dataclass(frozen=True)
class Dispatched:
    """How many messages were taken, are to be tried again, and will never arrive."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


def dispatch(
    database: Database, channels: Mapping[str, Channel], owners: Owners, now: datetime, *, limit: int = 100
) -> Dispatched:
    """Send what is due, the oldest first, at most `limit` messages. Sessions are opened and committed here."""
    tally = {NoticeState.SENT: 0, NoticeState.FAILED: 0, NoticeState.DEAD: 0}
    dead: dict[str, str] = {}
    tried: set[str] = set()
    for _ in range(limit):
        claimed = _claim(database, now)
        if claimed is None:
            break
        outcome = _send(channels, claimed)
        state = _write_down(database, claimed.id, outcome, now)
        tally[state] += 1
        if state is NoticeState.DEAD:
            dead[claimed.channel] = str(outcome)
        if state is not NoticeState.FAILED:
            tried.add(claimed.channel)
    _raise_for_it(database, owners, dead, frozenset(tried), now)
    return Dispatched(tally[NoticeState.SENT], tally[NoticeState.FAILED], tally[NoticeState.DEAD])


def backoff(attempts: int, asked: timedelta | None) -> timedelta:
    """One minute, doubled with each attempt up to an hour; longer where the receiver asks for it."""
    doubled: timedelta = min(FIRST_RETRY * 2 ** (attempts - 1), LONGEST_RETRY)
    return max(doubled, asked or timedelta())


def _claim(database: Database, now: datetime) -> NoticeRow | None:
    with database.session() as session:
        row = session.scalar(
            select(NoticeRow)
            .where(NoticeRow.state.in_(_WAITING), NoticeRow.next_attempt_at <= now)
            .order_by(NoticeRow.severity, NoticeRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is not None:
            row.state = NoticeState.SENDING
            row.attempts += 1
            row.next_attempt_at = now + CLAIM
        return row


def _send(channels: Mapping[str, Channel], row: NoticeRow) -> Receipt | AlertError:
    channel = channels.get(row.channel)
    if channel is None:
        return PermanentError(f"owners.yaml has no channel {row.channel} any more.")
    try:
        return channel.send(from_document(row.payload))
    except (TransientError, PermanentError) as error:
        return error


def _write_down(database: Database, notice: int, outcome: Receipt | AlertError, now: datetime) -> NoticeState:
    with database.session() as session:
        row = session.get_one(NoticeRow, notice, with_for_update=True)
        if isinstance(outcome, Receipt):
            row.state, row.sent_at, row.receipt, row.last_error = NoticeState.SENT, now, outcome.reference, None
            return NoticeState.SENT
        row.last_error = str(outcome)
        if isinstance(outcome, TransientError) and row.attempts < MOST_ATTEMPTS:
            row.state = NoticeState.FAILED
            row.next_attempt_at = now + backoff(row.attempts, outcome.retry_after)
            return NoticeState.FAILED
        row.state = NoticeState.DEAD
        return NoticeState.DEAD


def _raise_for_it(
    database: Database, owners: Owners, dead: Mapping[str, str], tried: frozenset[str], now: datetime
) -> None:
    with database.session() as session:
        if not dead and not _in_trouble(session, tried):
            return
        take_in(session, [evaluation(dead, tried, now)], Context(owners=owners, actor=ACTOR, data_as_of=now), now)


def _in_trouble(session: Session, channels: frozenset[str]) -> bool:
    """Whether a channel that works again has a case that says it does not."""
    keys = [account(channel) for channel in channels]
    statement = select(Case.number).where(
        Case.current, Case.check_id == UNDELIVERABLE.id, Case.account_key.in_(keys), Case.state != "verified"
    )
    return session.scalar(statement.limit(1)) is not None
