"""Which messages are due, and what became of them. Every function is one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update

from gateway.db.session import Database
from gateway.webhooks.tables import State, WebhookDelivery

# A message that could not be worked on so often is given up; the next ordinary poll reads what it named.
MOST_ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
# How many messages are worked on together.
AT_ONCE = 500
# A vendor repeats a message for some days; for so long it has to be known again.
KEPT = timedelta(days=30)
_NEVER_ENDED = f"None of {MOST_ATTEMPTS} attempts came to an end. The next ordinary poll reads what it names."

Key = tuple[str, str]


@dataclass(frozen=True)
class Delivery:
    """A message that is worked on now; `attempt` counts from 1. `records` are keys by object name."""

    source: str
    message_id: str
    records: Mapping[str, Sequence[str]]
    attempt: int

    @property
    def key(self) -> Key:
        return self.source, self.message_id


def any_due(database: Database, now: datetime) -> bool:
    """A cheap question, asked at every tick."""
    with database.session() as session:
        return session.scalars(select(WebhookDelivery.message_id).where(*_is_due(now)).limit(1)).first() is not None


def claim(database: Database, now: datetime) -> list[Delivery]:
    """The oldest due messages, each for this caller alone until its wait has passed.

    An attempt counts when it begins, and after the last one nobody tries again: a message that ends the process would
    else be tried without end.
    """
    due = select(WebhookDelivery).where(*_is_due(now)).order_by(WebhookDelivery.received_at).limit(AT_ONCE)
    with database.session() as session:
        rows = session.scalars(due.with_for_update(skip_locked=True)).all()
        tried = [row for row in rows if row.attempts < MOST_ATTEMPTS]
        for row in tried:
            row.attempts += 1
            row.next_at = now + min(FIRST_WAIT * 2 ** (row.attempts - 1), LONGEST_WAIT)
        for row in rows:
            if row not in tried:
                row.state, row.ended_at, row.failure = State.FAILED.value, now, _NEVER_ENDED
        return [Delivery(row.source, row.message_id, row.records, row.attempts) for row in tried]


def done(database: Database, keys: Iterable[Key], now: datetime) -> None:
    """What these named is in the books, and the checks concerned were asked."""
    with database.session() as session:
        ended = {"state": State.DONE.value, "ended_at": now, "failure": None}
        session.execute(update(WebhookDelivery).where(_among(keys)).values(**ended))


def not_done(database: Database, delivery: Delivery, sentence: str, now: datetime) -> bool:
    """Keep why; whether that was the last attempt, after which nobody tries again."""
    last = delivery.attempt >= MOST_ATTEMPTS
    said = {"failure": sentence, **({"state": State.FAILED.value, "ended_at": now} if last else {})}
    with database.session() as session:
        session.execute(update(WebhookDelivery).where(_among([delivery.key])).values(**said))
    return last


def forget(database: Database, now: datetime) -> None:
    """Delete what ended so long ago that it does not come again."""
    with database.session() as session:
        session.execute(delete(WebhookDelivery).where(WebhookDelivery.ended_at < now - KEPT))


def counts(database: Database) -> dict[str, int]:
    """How many messages are in each state."""
    with database.session() as session:
        rows = session.execute(select(WebhookDelivery.state, func.count()).group_by(WebhookDelivery.state))
        return {row[0]: row[1] for row in rows}


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return WebhookDelivery.state == State.PENDING.value, WebhookDelivery.next_at <= now


def _among(keys: Iterable[Key]) -> ColumnElement[bool]:
    return tuple_(WebhookDelivery.source, WebhookDelivery.message_id).in_(list(keys))
