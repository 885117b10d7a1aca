"""How much of a tenant's limits may be used, by what its answers say (vendors.md C2, "Rate limits").

Refused requests count too, so that nothing is sent that would be refused: it waits until the window has moved on.
A tenant shares its limits among all its integrations, and `ratelimit-remaining` counts for all of them.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from connectors.contract import Limit
from connectors.errors import TransientError

TOKEN_PATH = "/oauth/token"
_SPANS = {60: "requests a minute", 3_600: "requests an hour", 86_400: "requests a day"}
_WINDOW = re.compile(r"\s*(\d{1,12})\s*;\s*w\s*=\s*(\d{1,9})\s*")
# The headers on concurrency are refreshed once a second.
CROWDED_S = 1.0


@dataclass(frozen=True)
class Quota:
    """The window that is nearest to exhaustion: `left` of `most` requests, until `until`."""

    name: str
    most: int
    left: int
    until: datetime


class Allowance:
    """A Meter: at most `share` of every window, whoever used it. Safe to use from several threads.

    Requests for a token are outside: they have a limit of their own. Until an answer has told the limits nothing is
    held back, and at least one request in a window may always go.
    """

    def __init__(self, system: str, share: Decimal, clock: Callable[[], datetime]) -> None:
        self._system = system
        self._share = share
        self._clock = clock
        self._quota: Quota | None = None
        self._sent = 0  # since the quota was told
        self._crowded = False
        self._at_once: Limit | None = None
        self._lock = threading.Lock()

    def before(self, path: str) -> None:
        if path == TOKEN_PATH:
            return
        with self._lock:
            if self._crowded:
                self._crowded = False
                raise TransientError(f"{self._system} works on as many requests as it may at once.", CROWDED_S)
            quota, now = self._quota, self._clock()
            if quota is None or now >= quota.until:
                self._quota, self._sent = None, 0
                return
            if quota.most - quota.left + self._sent >= max(1, int(quota.most * self._share)):
                wait = (quota.until - now).total_seconds()
                raise TransientError(f"The share of {self._system}'s {quota.name} for Tieout is used up.", wait)
            self._sent += 1

    def after(self, path: str, headers: Mapping[str, str]) -> None:
        if path == TOKEN_PATH:
            return
        with self._lock:
            quota = _quota(headers, self._clock())
            if quota is not None:
                self._quota, self._sent = quota, 0
            at_once = _at_once(headers)
            if at_once is not None:
                self._at_once, self._crowded = at_once, at_once.used >= at_once.most

    def limits(self) -> Sequence[Limit]:
        """What the last answers told."""
        with self._lock:
            quota = self._quota
            told = [Limit(quota.name, quota.most - quota.left, quota.most)] if quota else []
            return [*told, *([self._at_once] if self._at_once else [])]


def _quota(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """`ratelimit-limit` begins with the quota of the window that the other two headers are about."""
    said = headers.get("ratelimit-limit", "")
    most, left = _number(said.partition(",")[0]), _number(headers.get("ratelimit-remaining", ""))
    reset = _number(headers.get("ratelimit-reset", ""))
    if most is None or left is None or reset is None:
        return None
    windows = (_WINDOW.fullmatch(part) for part in said.split(",")[1:])
    span = next((int(found[2]) for found in windows if found and int(found[1]) == most), 0)
    name = _SPANS.get(span, "requests")
    return Quota(name, most, min(left, most), now + timedelta(seconds=reset))


def _at_once(headers: Mapping[str, str]) -> Limit | None:
    most = _number(headers.get("concurrency-limit-limit", ""))
    left = _number(headers.get("concurrency-limit-remaining", ""))
    return None if most is None or left is None else Limit("requests at once", most - min(left, most), most)


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
