"""Requests at an even pace, so that a limit which all integrations of an account share is never reached by us."""

import threading
import time
from collections.abc import Callable


class Pace:
    """At most `per_s` requests a second, whichever threads they come from."""

    def __init__(
        self,
        per_s: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1.0 / per_s
        self._now = now
        self._sleep = sleep
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may go out."""
        with self._lock:
            now = self._now()
            due = max(now, self._next)
            self._next = due + self._gap
        if due > now:
            self._sleep(due - now)
