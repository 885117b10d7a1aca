"""What the org may use in a day: requests, of them those of one app, and bulk query jobs (vendors.md A2, A5)."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from sandbox.salesforce.errors import JobLimitExceeded, RequestLimitExceeded

APP = "tieout"
_DAY = timedelta(hours=24)


class Rolling:
    """Counts of the past 24 hours, kept by the hour of `clock`; an hour leaves the count a day after it began."""

    def __init__(self, clock: Callable[[], datetime], limit: int) -> None:
        self.limit = limit
        self._clock = clock
        self._by_hour: Counter[datetime] = Counter()

    def add(self, count: int = 1) -> None:
        self._by_hour[_hour(self._clock())] += count

    @property
    def used(self) -> int:
        since = _hour(self._clock()) - _DAY
        return sum(count for hour, count in self._by_hour.items() if hour > since)

    @property
    def full(self) -> bool:
        return self.used >= self.limit

    def shown(self) -> dict[str, int]:
        """As /limits tells it."""
        return {"Max": self.limit, "Remaining": max(0, self.limit - self.used)}


class Quota:
    """The limits of one org. `refused` counts the requests that came while none was left."""

    def __init__(self, clock: Callable[[], datetime], limit: int, app_limit: int | None = None) -> None:
        self._requests = Rolling(clock, limit)
        self._app = None if app_limit is None else Rolling(clock, app_limit)
        self._jobs = Rolling(clock, 10_000)
        self._lock = Lock()
        self.refused = 0

    @property
    def limit(self) -> int:
        return self._requests.limit

    @property
    def used(self) -> int:
        with self._lock:
            return self._requests.used

    def spend(self) -> None:
        """Count one call; RequestLimitExceeded, and only the refusal counted, where none is left."""
        with self._lock:
            if self._requests.full or (self._app and self._app.full):
                self.refused += 1
                raise RequestLimitExceeded
            self._requests.add()
            if self._app:
                self._app.add()

    def spend_elsewhere(self, count: int) -> None:
        """Calls that other integrations of the org made."""
        with self._lock:
            self._requests.add(count)

    def spend_job(self) -> None:
        """Count one bulk query job; JobLimitExceeded where none is left."""
        with self._lock:
            if self._jobs.full:
                raise JobLimitExceeded
            self._jobs.add()

    def limit_jobs(self, limit: int) -> None:
        with self._lock:
            self._jobs.limit = limit

    def header(self) -> str:
        """What every reply says in Sforce-Limit-Info."""
        with self._lock:
            said = f"api-usage={self._requests.used}/{self._requests.limit}"
            if self._app:
                said += f"; per-app-api-usage={self._app.used}/{self._app.limit}(appName={APP})"
            return said

    def shown(self) -> dict[str, dict[str, int]]:
        """What /limits tells."""
        with self._lock:
            return {
                "DailyApiRequests": self._requests.shown(),
                "DailyBulkV2QueryJobs": self._jobs.shown(),
                "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
            }


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
