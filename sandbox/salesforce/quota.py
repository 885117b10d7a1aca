"""The daily request limit: calls of the past 24 hours against what the org may make (vendors.md A2)."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from sandbox.salesforce.errors import RequestLimitExceeded

_DAY = timedelta(hours=24)


class Quota:
    """Calls are counted by the hour of `clock`; an hour leaves the count a day after it began."""

    def __init__(self, clock: Callable[[], datetime], limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._by_hour: Counter[datetime] = Counter()
        self._lock = Lock()

    @property
    def limit(self) -> int:
        return self._limit

    def spend(self) -> None:
        """Count one call; RequestLimitExceeded, and nothing counted, where none is left."""
        with self._lock:
            if self._used() >= self._limit:
                raise RequestLimitExceeded
            self._by_hour[_hour(self._clock())] += 1

    @property
    def used(self) -> int:
        with self._lock:
            return self._used()

    def _used(self) -> int:
        since = _hour(self._clock()) - _DAY
        return sum(count for hour, count in self._by_hour.items() if hour > since)


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
