"""What a sink has received, and the failures that it still has to play."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Failure = TypeVar("Failure")


class Inbox(Generic[Item, Failure]):
    """Filled by a server's thread and read by a test's. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: list[Item] = []
        self._failures: deque[Failure] = deque()

    @property
    def items(self) -> list[Item]:
        """What has arrived so far, in order; a copy."""
        with self._changed:
            return list(self._items)

    def add(self, item: Item) -> None:
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def fail_next(self, failure: Failure, times: int) -> None:
        with self._changed:
            self._failures.extend([failure] * times)

    def next_failure(self, concerns: Callable[[Failure], bool] = lambda _: True) -> Failure | None:
        """The failure to play for the request at hand, used up by this call if it `concerns` the request."""
        with self._changed:
            return self._failures.popleft() if self._failures and concerns(self._failures[0]) else None

    def wait_for(self, count: int, timeout: float) -> list[Item]:
        """The items once there are at least `count`. Raises TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._items) >= count, timeout):
                raise TimeoutError(f"{len(self._items)} of {count} messages arrived within {timeout:g} seconds.")
            return list(self._items)

    def clear(self) -> None:
        with self._changed:
            self._items.clear()
            self._failures.clear()
