"""When a request is repeated: only what the connector calls transient, ever later, and never without end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from connectors import telemetry
from connectors.errors import TransientError

R = TypeVar("R")


@dataclass(frozen=True)
class RetryPolicy:
    """At most `attempts`, and at most `budget_s` seconds from the first attempt to the start of the last.

    The wait is random, up to `first_wait_s` and then twice as much each time, at most `longest_wait_s`. A wait that
    the source asks for is kept, with a little more so that not everybody comes back at once; where it does not fit
    into the budget, the error is raised at once: nobody hammers a source that has closed for the day.
    """

    attempts: int = 6
    budget_s: float = 180.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def call(self, work: Callable[[], R], system: str) -> R:
        """The result of `work`, or its last error."""
        return Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=self._wait,
            stop=self._stop,
            sleep=self.sleep,
            before_sleep=lambda _: telemetry.retry(system),
            reraise=True,
        )(work)

    def _wait(self, state: RetryCallState) -> float:
        spread = wait_random_exponential(multiplier=self.first_wait_s, max=self.longest_wait_s)(state)
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        return spread if asked is None else asked + min(spread, self.first_wait_s)

    def _stop(self, state: RetryCallState) -> bool:
        spent = max(state.idle_for, state.seconds_since_start or 0.0)
        return state.attempt_number >= self.attempts or spent + state.upcoming_sleep > self.budget_s
