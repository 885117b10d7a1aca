"""The periodic jobs, run by one leader: whoever holds a PostgreSQL advisory lock.

Deadlines live in rows, never in timers: a job asks what is due and does it, so that it may run late, twice or by
hand with no harm.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import text

from gateway.db.session import Database
from gateway.errors import GatewayError

log = logging.getLogger(__name__)

# Any number that nothing else in Tieout locks.
LEADER_LOCK = 4_701_003


@dataclass(frozen=True)
class Job:
    """Something that is done every so often."""

    name: str
    every_s: int
    run: Callable[[], object]


def lead(database: Database, jobs: list[Job], until: threading.Event, retry_s: float = 15) -> None:
    """Run the jobs while this process is the leader, until the event is set. Waits while another one leads."""
    while not until.is_set():
        with _leadership(database) as leads:
            if leads:
                _run(jobs, until)
            else:
                until.wait(retry_s)


def _run(jobs: list[Job], until: threading.Event) -> None:
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in jobs:
        scheduler.add_job(_guarded, "interval", [job], seconds=job.every_s, id=job.name, max_instances=1, coalesce=True)
    scheduler.start()
    try:
        until.wait()
    finally:
        scheduler.shutdown(wait=True)


def _guarded(job: Job) -> None:
    """One run; an error that people can act on is logged in a sentence, and the next run comes all the same."""
    try:
        job.run()
    except GatewayError as error:
        log.error("The job %s did not run: %s", job.name, error)


@contextmanager
def _leadership(database: Database) -> Iterator[bool]:
    """Whether this process leads. The lock goes with the connection, so a leader that dies is followed by another."""
    with database.engine.connect() as connection:
        leads = bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LEADER_LOCK}).scalar_one())
        connection.commit()
        yield leads
