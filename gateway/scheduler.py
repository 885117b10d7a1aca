"""The periodic jobs, run by one leader: whoever holds a PostgreSQL advisory lock.

Deadlines live in rows, never in timers: a job asks what is due and does it, so that it may run late, twice or by
hand with no harm. A leader whose connection dies stops its jobs and competes again, like everybody else.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import OperationalError

from alerts.errors import AlertError
from books.errors import BooksError
from checks.errors import ChecksError
from connectors.errors import ConnectorError
from gateway.db.errors import StateError
from gateway.db.lock import Held, advisory_lock
from gateway.db.session import Database
from gateway.errors import GatewayError

log = logging.getLogger(__name__)

# Any number that nothing else in Tieout locks.
LEADER_LOCK = 4_701_003
# What people can act on is told in a sentence; anything else is a mistake of ours, and keeps its traceback.
EXPECTED = (GatewayError, ConnectorError, BooksError, ChecksError, AlertError, StateError, OperationalError)


@dataclass(frozen=True)
class Job:
    """Something that is done every so often, and once at the start."""

    name: str
    every_s: float
    run: Callable[[], object]


def lead(
    database: Database, jobs: Sequence[Job], until: threading.Event, retry_s: float = 15, heartbeat_s: float = 5
) -> None:
    """Run the jobs while this process is the leader, until the event is set. Waits while another one leads.

    Every `heartbeat_s` a leader asks whether it still is one; every `retry_s` the others try to become it.
    """
    while not until.is_set():
        try:
            with advisory_lock(database, LEADER_LOCK) as lock:
                if lock is not None:
                    _run(jobs, until, lock, heartbeat_s)
        except OperationalError as error:
            log.error("The scheduler has no database: %s", error.orig)
        until.wait(retry_s)


def _run(jobs: Sequence[Job], until: threading.Event, lock: Held, heartbeat_s: float) -> None:
    log.info("This process leads the jobs.")
    with _scheduled(jobs):
        while not until.wait(heartbeat_s) and lock.still():
            pass
    log.warning("This process no longer leads the jobs: %s", "it ends." if until.is_set() else "the database let go.")


@contextmanager
def _scheduled(jobs: Sequence[Job]) -> Iterator[None]:
    """The jobs run meanwhile; at the end those that run are waited for. A late run is not left out."""
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in jobs:
        scheduler.add_job(
            _guarded,
            "interval",
            [job],
            seconds=job.every_s,
            id=job.name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def _guarded(job: Job) -> None:
    """One run; an error that people can act on is logged in a sentence, and the next run comes all the same."""
    try:
        job.run()
    except EXPECTED as error:
        log.error("The job %s did not run to its end: %s", job.name, error)
