"""How many requests a tenant may send in a minute, and how many at a time (vendors.md C2, "Rate limits")."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the tenant stands after a request; `reset` is the seconds until the next one frees up."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "ratelimit-limit": f"{self.limit}, {self.limit};w={int(MINUTE.total_seconds())}",
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(self.reset),
        }


class RequestQuota:
    """A request is let through when fewer than `limit` came in the minute before it. Refused ones came too:
    who keeps asking stays out."""

    def __init__(self, limit: int, clock: Callable[[], datetime]) -> None:
        if limit < 1:
            raise ValueError(f"At least one request a minute must be allowed, not {limit}.")
        self._limit = limit
        self._clock = clock
        self._came: deque[datetime] = deque(maxlen=limit)

    def take(self) -> Standing:
        now = self._clock()
        while self._came and now - self._came[0] >= MINUTE:
            self._came.popleft()
        allowed = len(self._came) < self._limit
        self._came.append(now)
        frees_in = (self._came[0] + MINUTE - now).total_seconds()
        return Standing(allowed, self._limit, self._limit - len(self._came), math.ceil(frees_in))
