"""Results of ZOQL queries, handed out page by page over the snapshot that the query took."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.zuora.errors import Fault
from sandbox.zuora.ids import make_id
from sandbox.zuora.schema import Row

# A locator that nobody used for this long is forgotten (vendors.md C2).
LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Page:
    """`size` counts the whole result; `locator` leads to the next page, None on the last one."""

    fields: tuple[str, ...]
    rows: list[Row]
    size: int
    locator: str | None


@dataclass(slots=True)
class _Walk:
    fields: tuple[str, ...]
    rows: list[Row]
    page_size: int
    used_at: datetime


class Walks:
    """Open results by locator `<32 hex digits>-<offset>`; asking for one page twice gives the same rows."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._open: dict[str, _Walk] = {}
        self._started = 0

    def start(self, fields: tuple[str, ...], rows: list[Row], page_size: int) -> Page:
        now = self._clock()
        self._forget(now)
        self._started += 1
        name = make_id("QueryLocator", self._started)
        walk = _Walk(fields, rows, page_size, now)
        if len(rows) > page_size:
            self._open[name] = walk
        return self._page(name, walk, 0)

    def resume(self, locator: str, page_size: int | None) -> Page:
        """The page at a locator. Raises Fault INVALID_QUERY_LOCATOR for one that is unknown or expired."""
        now = self._clock()
        self._forget(now)
        name, _, offset = locator.rpartition("-")
        walk = self._open.get(name)
        if walk is None or not offset.isdecimal() or not 0 < int(offset) < len(walk.rows):
            raise Fault("INVALID_QUERY_LOCATOR", f"The query locator {locator!r} is unknown or has expired.")
        walk.used_at = now
        walk.page_size = page_size or walk.page_size
        return self._page(name, walk, int(offset))

    def forget_all(self) -> None:
        self._open = {}

    def _page(self, name: str, walk: _Walk, offset: int) -> Page:
        end = offset + walk.page_size
        locator = f"{name}-{end}" if end < len(walk.rows) else None
        return Page(walk.fields, walk.rows[offset:end], len(walk.rows), locator)

    def _forget(self, now: datetime) -> None:
        self._open = {name: walk for name, walk in self._open.items() if now - walk.used_at <= LIFETIME}
