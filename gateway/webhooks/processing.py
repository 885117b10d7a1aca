"""Works on the messages that came in: reads the records that they name, publishes, asks the checks concerned.

1. messages that are due are claimed, and their keys put together per source and object
2. under the sync's lock: the records are read and written, and a snapshot is published
3. the checks that read what was touched are asked, so that a case opens at once; not those that would miss the
   lines of an invoice that is new, where the message does not name them: the next poll reads these
4. only then is a message done; killed before, it is due again and everything is repeated without harm

While a cycle of the sync runs nothing is claimed: the next tick comes soon.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opentelemetry import metrics, trace

from books.errors import BooksError
from connectors.errors import ConnectorError, LoginRefused, PermanentError, SchemaChanged
from gateway.db.lock import Held, advisory_lock
from gateway.errors import ConfigError, Unavailable
from gateway.installation import Installation
from gateway.sweep import Sweep, concerned, sweep
from gateway.sync.lock import SYNC_LOCK
from gateway.sync.readings import entities_of
from gateway.sync.run import open_source, opened_cycle
from gateway.sync.schemas import Schemas
from gateway.sync.scoped import ScopedPoll
from gateway.webhooks.pending import Delivery, any_due, claim, done, forget, not_done

log = logging.getLogger(__name__)
tracer = trace.get_tracer("tieout.webhooks")
_ended = metrics.get_meter("tieout.webhooks").create_counter(
    "tieout.webhooks.processed", unit="{message}", description="Messages of sources that were worked on, by outcome."
)


@dataclass
class Processed:
    """What one run did. `failed` has a sentence for every message that was not done."""

    done: list[Delivery] = field(default_factory=list)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    touched: set[tuple[str, str]] = field(default_factory=set)
    partial: set[tuple[str, str]] = field(default_factory=set)
    checks: Sequence[str] = ()
    sweep: Sweep | None = None


def process(installed: Installation, now: datetime) -> Processed:
    """Work on what is due at `now`. Does nothing where nothing is, while a sync runs, and before the first one."""
    ran = Processed()
    database = installed.database
    forget(database, now)
    if not any_due(database, now) or installed.ledger.latest_id() is None:
        return ran
    with advisory_lock(database, SYNC_LOCK) as lock:
        if lock is None:
            return ran
        with tracer.start_as_current_span("webhooks.poll"):
            deliveries = claim(database, now)
            _poll(installed, deliveries, ran, lock)
            _publish(installed, lock)
    ran.checks = concerned(installed, ran.touched, ran.partial)
    if ran.checks:
        ran.sweep = sweep(installed, installed.clock(), ran.checks, changed_only=True)
    _settle(installed, deliveries, ran, now)
    return ran


def _poll(installed: Installation, deliveries: Sequence[Delivery], ran: Processed, lock: Held) -> None:
    for name in dict.fromkeys(delivery.source for delivery in deliveries):
        mine = [delivery for delivery in deliveries if delivery.source == name]
        try:
            source = open_source(installed, name)
        except (ConnectorError, ConfigError) as error:
            ran.failed.update((one.key, str(error)) for one in mine)
            continue
        try:
            schemas = Schemas(installed.database)
            poll = ScopedPoll(source, installed.store, installed.ledger, schemas, installed.clock)
            _poll_source(poll, mine, ran, lock)
        finally:
            source.connector.close()


def _poll_source(poll: ScopedPoll, deliveries: Sequence[Delivery], ran: Processed, lock: Held) -> None:
    """A source that is away is not asked for each object."""
    try:
        for name in _named(poll, deliveries):
            _keep(lock)
            _read(poll, name, [one for one in deliveries if name in one.records], ran)
    except (ConnectorError, BooksError) as error:
        ran.failed.update((one.key, str(error)) for one in deliveries)
    ran.touched.update(poll.touched)
    named = {
        (poll.source.name, entity)
        for name in _named(poll, deliveries)
        for entity in entities_of(poll.source.mapping, name)
    }
    ran.partial.update(poll.partial - named)


def _named(poll: ScopedPoll, deliveries: Sequence[Delivery]) -> list[str]:
    """The objects that a sync reads, each once: what is read on demand has no place in the books."""
    known = poll.source.mapping.walked
    return [name for name in dict.fromkeys(name for one in deliveries for name in one.records) if name in known]


def _read(poll: ScopedPoll, name: str, deliveries: Sequence[Delivery], ran: Processed) -> None:
    """Together, and one by one where that is refused: one message's bad key must not hold up the others.

    Raises what concerns all of them: the source is away, refuses the login, or does not show the object.
    """
    keys = dict.fromkeys(key for one in deliveries for key in one.records[name])
    try:
        poll.read(name, list(keys))
    except (LoginRefused, SchemaChanged):
        raise
    except PermanentError as error:
        if len(deliveries) == 1:
            ran.failed[deliveries[0].key] = str(error)
            return
        for one in deliveries:
            _read(poll, name, [one], ran)


def _keep(lock: Held) -> None:
    """Raises Unavailable where the lock was lost: a sync may have read newer records than those that we would write."""
    if not lock.still():
        raise Unavailable("The database let go of this run, so that a sync may have begun: nothing was published.")


def _publish(installed: Installation, lock: Held) -> None:
    """A snapshot, where the tables hold what none names yet. Raises Unavailable as `_keep`."""
    _keep(lock)
    snapshot = installed.ledger.latest()
    if snapshot is None or installed.store.versions() != snapshot.versions:
        opened_cycle(installed).publish(installed.mappings, installed.matching, installed.books)


def _settle(installed: Installation, deliveries: Iterable[Delivery], ran: Processed, now: datetime) -> None:
    ran.done = [delivery for delivery in deliveries if delivery.key not in ran.failed]
    done(installed.database, [delivery.key for delivery in ran.done], now)
    for delivery in deliveries:
        sentence = ran.failed.get(delivery.key)
        outcome = "done"
        if sentence is not None:
            outcome = "failed" if not_done(installed.database, delivery, sentence, now) else "postponed"
            log.warning("Message %s of %s was not worked on: %s", delivery.message_id, delivery.source, sentence)
        _ended.add(1, {"source": delivery.source, "outcome": outcome})
