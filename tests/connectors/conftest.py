"""Clocks that only the test moves, and retries that do not sleep."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.retries import RetryPolicy

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


class Clock:
    """Stands still until `forward` is called."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that retries asked to sleep."""
    return []


@pytest.fixture
def retries(waits: list[float]) -> RetryPolicy:
    return RetryPolicy(attempts=4, budget_s=60.0, sleep=waits.append)
