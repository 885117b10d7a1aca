"""Query locators: the rest of a result, kept as it was when the query ran (vendors.md A2)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from threading import Lock

from sandbox.salesforce.errors import InvalidLocator
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.soql_query import Result

LIFETIME = timedelta(days=2)


@dataclass(frozen=True)
class Cursor:
    """A result from row `offset` on, in batches of `batch`."""

    result: Result
    offset: int
    batch: int
    opened: datetime


class Cursors:
    """Open cursors by locator, such as 01g000000000001AAA-2000. Each locator works once, and for two days."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._open: dict[str, Cursor] = {}
        self._numbers = count(1)
        self._lock = Lock()

    def start(self, result: Result, batch: int) -> tuple[Cursor, str | None]:
        """The first batch, and the locator of the next one or None where there is no more."""
        cursor = Cursor(result, 0, batch, self._clock())
        self._forget_old(cursor.opened)
        return cursor, self._keep_rest(cursor, make_id("01g", next(self._numbers)))

    def resume(self, locator: str) -> tuple[Cursor, str | None]:
        """The batch at a locator and the locator after it; InvalidLocator for one unknown, used or too old."""
        with self._lock:
            cursor = self._open.pop(locator, None)
        if cursor is None or self._clock() - cursor.opened > LIFETIME:
            raise InvalidLocator
        return cursor, self._keep_rest(cursor, locator.partition("-")[0])

    def _forget_old(self, now: datetime) -> None:
        with self._lock:
            self._open = {key: old for key, old in self._open.items() if now - old.opened <= LIFETIME}

    def _keep_rest(self, cursor: Cursor, cursor_id: str) -> str | None:
        after = cursor.offset + cursor.batch
        if after >= len(cursor.result.rows):
            return None
        locator = f"{cursor_id}-{after}"
        with self._lock:
            self._open[locator] = Cursor(cursor.result, after, cursor.batch, cursor.opened)
        return locator
