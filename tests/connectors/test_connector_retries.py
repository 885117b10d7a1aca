"""What is repeated, how long it waits, and when it is given up."""

from collections.abc import Callable

import pytest

from connectors.errors import PermanentError, TransientError
from connectors.retries import RetryPolicy


def _failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_a_transient_error_is_tried_again(retries: RetryPolicy, waits: list[float]) -> None:
    assert retries.call(_failing(TransientError("busy"), TransientError("busy")), "crm") == "done"
    assert len(waits) == 2


def test_waits_grow_and_stay_below_the_longest() -> None:
    waits: list[float] = []
    policy = RetryPolicy(attempts=12, budget_s=1e6, first_wait_s=1.0, longest_wait_s=8.0, sleep=waits.append)
    policy.call(_failing(*[TransientError("busy")] * 11), "crm")
    limits = [min(2.0**n, 8.0) for n in range(11)]
    assert all(0 <= wait <= limit for wait, limit in zip(waits, limits, strict=True))
    assert len(set(waits)) > 1


def test_a_permanent_error_is_not_tried_again(retries: RetryPolicy, waits: list[float]) -> None:
    with pytest.raises(PermanentError):
        retries.call(_failing(PermanentError("no")), "crm")
    assert waits == []


def test_attempts_are_counted(retries: RetryPolicy, waits: list[float]) -> None:
    last = TransientError("the last")
    with pytest.raises(TransientError, match="the last"):
        retries.call(_failing(TransientError("1"), TransientError("2"), TransientError("3"), last), "crm")
    assert len(waits) == 3


def test_the_wait_that_the_source_asks_for_is_kept(retries: RetryPolicy, waits: list[float]) -> None:
    retries.call(_failing(TransientError("busy", retry_after=20)), "crm")
    assert 20 <= waits[0] <= 20 + retries.first_wait_s


def test_a_wait_that_does_not_fit_into_the_budget_is_not_begun(retries: RetryPolicy, waits: list[float]) -> None:
    with pytest.raises(TransientError):
        retries.call(_failing(TransientError("closed", retry_after=3_600)), "crm")
    assert waits == []


def test_waits_together_stay_within_the_budget(waits: list[float]) -> None:
    policy = RetryPolicy(attempts=100, budget_s=60.0, sleep=waits.append)
    with pytest.raises(TransientError):
        policy.call(_failing(*[TransientError("busy", retry_after=25)] * 99), "crm")
    assert len(waits) == 2
