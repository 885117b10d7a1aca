"""How many requests an account takes in a second, and what Stripe remembers of those that change something."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.stripe.errors import Refusal

LIFETIME = timedelta(hours=24)
LONGEST = 255


class RateLimit:
    """At most `per_s` requests in any second of real time. `over` counts those that came beyond it."""

    def __init__(self, per_s: int, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._came: deque[float] = deque(maxlen=per_s)
        self.over = 0

    def take(self) -> None:
        """Raises Refusal for a request that is too much."""
        now = self._now()
        full = len(self._came) == self._came.maxlen and now - self._came[0] < 1.0
        if full:
            self.over += 1
            raise Refusal(
                429,
                "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
                code="rate_limit",
                headers={"stripe-rate-limited-reason": "global-rate", "stripe-should-retry": "true"},
            )
        self._came.append(now)


@dataclass
class _Kept:
    request: tuple[str, str, str]
    since: datetime
    answer: tuple[int, bytes] | None = None


class Idempotency:
    """A repeated key gets the first answer, whatever it was; with other parameters it is refused."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def recall(self, key: str, request: tuple[str, str, str]) -> tuple[int, bytes] | None:
        """The first answer to this request; None when it is the first. Raises Refusal."""
        if not 0 < len(key) <= LONGEST:
            raise Refusal(400, f"Idempotency keys have 1 to {LONGEST} characters.", type="idempotency_error")
        kept = self._kept.get(key)
        if kept is None or self._clock() - kept.since >= LIFETIME:
            self._kept[key] = _Kept(request, self._clock())
            return None
        if kept.request != request:
            raise Refusal(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                type="idempotency_error",
            )
        if kept.answer is None:
            raise Refusal(
                409,
                f"There is currently another in-progress request using this Idempotent Key: {key}.",
                code="idempotency_key_in_use",
                type="idempotency_error",
            )
        return kept.answer

    def keep(self, key: str, answer: tuple[int, bytes]) -> None:
        self._kept[key].answer = answer
