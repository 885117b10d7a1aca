"""One scheduler leads; when it loses the database, another one does; a job that fails is run again."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from gateway.db.lock import advisory_lock
from gateway.db.session import Database
from gateway.errors import Unavailable
from gateway.scheduler import LEADER_LOCK, Job, lead
from tests.gateway.lock_holders import end_holders

DEADLINE_S = 30.0


class Board:
    """Counts who ran, and lets a test wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.runs: Counter[str] = Counter()

    def ran(self, name: str) -> None:
        with self._changed:
            self.runs[name] += 1
            self._changed.notify_all()

    def wait(self, name: str, times: int) -> None:
        """Until that one has run so often again."""
        with self._changed:
            wanted = self.runs[name] + times
            assert self._changed.wait_for(lambda: self.runs[name] >= wanted, DEADLINE_S), self.runs


@contextmanager
def scheduler(
    database: Database, board: Board, name: str, every_s: float = 0.05, retry_s: float = 0.05
) -> Iterator[None]:
    """A scheduler whose only job is to write its name on the board."""
    until = threading.Event()
    jobs = [Job(name, every_s, lambda: board.ran(name))]
    thread = threading.Thread(target=lead, args=(database, jobs, until, retry_s), kwargs={"heartbeat_s": 0.05})
    thread.start()
    try:
        yield
    finally:
        until.set()
        thread.join(timeout=DEADLINE_S)
        assert not thread.is_alive()


def test_one_leads_and_the_other_waits(database: Database) -> None:
    board = Board()
    with scheduler(database, board, "a"):
        board.wait("a", 1)
        with scheduler(database, board, "b"):
            board.wait("a", 3)
    assert board.runs["b"] == 0
    with advisory_lock(database, LEADER_LOCK) as lock:
        assert lock is not None, "a scheduler that ends gives the lead away"


def test_the_lead_is_handed_over_when_the_leader_ends(database: Database) -> None:
    board = Board()
    with ExitStack() as second:
        with scheduler(database, board, "a"):
            board.wait("a", 1)
            second.enter_context(scheduler(database, board, "b"))
        last = board.runs["a"]
        board.wait("b", 2)
        assert board.runs["a"] == last


def test_the_lead_is_handed_over_when_the_leaders_connection_dies(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    board, stopped = Board(), Heard("no longer leads the jobs: the database let go.")
    caplog.handler.addFilter(stopped)
    with scheduler(database, board, "a", retry_s=DEADLINE_S):
        board.wait("a", 1)
        with scheduler(database, board, "b"):
            assert end_holders(database, LEADER_LOCK) == 1
            board.wait("b", 1)
            assert stopped.event.wait(DEADLINE_S)
            last = board.runs["a"]
            board.wait("b", 3)
            assert board.runs["a"] == last
    caplog.handler.removeFilter(stopped)


def test_a_leader_that_lost_its_connection_leads_again_when_nobody_else_does(database: Database) -> None:
    board = Board()
    with scheduler(database, board, "a"):
        board.wait("a", 1)
        assert end_holders(database, LEADER_LOCK) == 1
        board.wait("a", 3)
        with advisory_lock(database, LEADER_LOCK) as lock:
            assert lock is None


def test_a_job_that_fails_is_told_and_run_again(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    board, until = Board(), threading.Event()

    def fail() -> None:
        board.ran("a")
        raise Unavailable("The source is away.")

    thread = threading.Thread(target=lead, args=(database, [Job("a", 0.05, fail)], until))
    thread.start()
    board.wait("a", 3)
    until.set()
    thread.join(timeout=DEADLINE_S)
    assert "The job a did not run to its end: The source is away." in caplog.messages


def test_a_job_runs_once_at_the_start_however_rarely_it_runs(database: Database) -> None:
    board = Board()
    with scheduler(database, board, "a", every_s=86_400):
        board.wait("a", 1)
    assert board.runs["a"] == 1


class Heard(logging.Filter):
    """An event for a message with these words; it lets everything through."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words
        self.event = threading.Event()

    def filter(self, record: logging.LogRecord) -> bool:
        if self._words in record.getMessage():
            self.event.set()
        return True
