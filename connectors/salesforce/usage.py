"""How much of the org's daily requests is used, as every answer tells it, and when to stop asking.

The count is the org's, of a rolling day, with what others use in it (vendors.md A2). So a share of it is kept by
stopping before the whole org has used that much; our own requests are then within the share as well.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from weakref import WeakKeyDictionary

from connectors.errors import TransientError

HEADER = "Sforce-Limit-Info"
# Requests leave the rolling day by the hour: asking sooner learns nothing and costs one more.
WINDOW = timedelta(hours=1)
# One request an hour asks how much is used by then; these are set aside for a day of such questions.
MOST_RESERVE = 24
_USED = re.compile(r"(?<![\w-])(api-usage|per-app-api-usage)=(\d+)/(\d+)")


class Usage:
    """The usage of one org. For all threads; times are the org's clock."""

    def __init__(self, system: str, share: float) -> None:
        self._system = system
        self._share = share
        self._used: dict[str, tuple[int, int]] = {}
        self._told_at: datetime | None = None
        self._flying = 0
        self._lock = Lock()

    def begin(self, now: datetime) -> None:
        """A request is about to be sent. Raises TransientError, with the time to wait, where it must not be."""
        with self._lock:
            spent = self._spent()
            if spent and self._told_at and now < self._told_at + WINDOW:
                raise self._stopped(spent, self._told_at + WINDOW, now)
            if spent:
                # The hour is over, and this request asks anew; nobody else does until it is answered.
                self._told_at = now
            self._flying += 1

    def end(self, header: str | None, now: datetime) -> None:
        """Its answer came, with this header, or none came."""
        with self._lock:
            self._flying -= 1
            if header:
                self._used = {name: (int(used), int(most)) for name, used, most in _USED.findall(header)}
                self._told_at = now

    def refuse(self, now: datetime) -> None:
        """The org said that nothing is left of the day's requests."""
        with self._lock:
            _, most = self._used.get("api-usage", (0, 0))
            self._used["api-usage"] = max(most, 1), most
            self._told_at = now

    def _spent(self) -> str:
        """What is used up, in words; empty where another request fits."""
        for name, share in (("api-usage", self._share), ("per-app-api-usage", 1.0)):
            used, most = self._used.get(name, (0, -1))
            if most < 0:
                continue
            cap = int(most * share)
            reserve = min(MOST_RESERVE, max(1, cap // 50)) if cap else 0
            if used + self._flying + 1 > cap - reserve:
                of_what = "daily API requests of the org" if name == "api-usage" else "requests that the app may make"
                return f"{used} of the {most} {of_what} (TotalRequests) are used, and we stop at {share:.0%}"
        return ""

    def _stopped(self, spent: str, until: datetime, now: datetime) -> TransientError:
        return TransientError(
            f"{self._system}: {spent}. Nothing is asked before {until:%Y-%m-%d %H:%M} UTC. Raise daily_share, or the "
            "org's limit, if that is too early.",
            (until - now).total_seconds(),
        )


_shared: WeakKeyDictionary[object, dict[str, Usage]] = WeakKeyDictionary()
_sharing = Lock()


def usage_of(base_url: str, system: str, share: float, clock: Callable[[], datetime]) -> Usage:
    """The one usage of an org, for every connector of this process that has the same clock.

    Connectors come and go with every poll and run in several threads, and the limit is the same for all of them.
    """
    fresh = Usage(system, share)
    with _sharing:
        try:
            known = _shared.setdefault(getattr(clock, "__self__", clock), {})  # a method lives no longer than its name
        except TypeError:  # this clock cannot be a key, so nobody else can be found by it
            return fresh
        return known.setdefault(f"{system} {share} {base_url}", fresh)
