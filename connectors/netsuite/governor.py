"""How many requests an account gets at once, and in a day, from everything in this process that reads it.

REST, SOAP and RESTlets share one pool per account, and so do all other integrations: five at once in a small account
(vendors.md B5). So whoever reads the same account here waits for the same turn.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from connectors.contract import Limit
from connectors.errors import TransientError


class Governor:
    """The requests of one account: how many are under way, and how many were sent today (UTC)."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.running = 0
        self._day: date | None = None
        self._sent = 0

    @contextmanager
    def turn(self, most: int, daily: int | None, now: datetime) -> Iterator[None]:
        """Wait until fewer than `most` requests are under way. Raises TransientError when the day is used up."""
        with self._changed:
            self._changed.wait_for(lambda: self.running < most)
            self._count(daily, now)
            self.running += 1
        try:
            yield
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def sent(self, now: datetime) -> int:
        """How many requests were sent on the day of `now`."""
        with self._changed:
            return self._sent if self._day == now.astimezone(UTC).date() else 0

    def _count(self, daily: int | None, now: datetime) -> None:
        today = now.astimezone(UTC).date()
        if self._day != today:
            self._day, self._sent = today, 0
        if daily is not None and self._sent >= daily:
            tomorrow = datetime.combine(today + timedelta(days=1), time(), UTC)
            raise TransientError(
                f"The {daily:,} requests that NetSuite may be sent in a day (daily_requests) are used up.",
                (tomorrow - now.astimezone(UTC)).total_seconds(),
            )
        self._sent += 1


@dataclass(frozen=True)
class Share:
    """What one connector may take of an account: `most` requests at once, and `daily` for the process, or no end."""

    governor: Governor
    most: int
    daily: int | None
    clock: Callable[[], datetime]

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self.governor.turn(self.most, self.daily, self.clock()):
            yield

    def limits(self) -> Sequence[Limit]:
        limits = [Limit("concurrent requests", self.governor.running, self.most)]
        if self.daily is not None:
            limits.append(Limit("requests today", self.governor.sent(self.clock()), self.daily))
        return limits


_governors: dict[tuple[str, str], Governor] = {}
_lock = threading.Lock()


def governor_of(account: str, address: str) -> Governor:
    """The one governor that this process has for the account at that address."""
    with _lock:
        return _governors.setdefault((account, address), Governor())
