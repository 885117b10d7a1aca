"""A walk through windows of time: every record that the account stamped in them, proved by its own count (B4).

A page of a search is a new search: records that change meanwhile leave the window or move between its pages. So a
window counts as read when its distinct ids are as many as the account says, on every page; else it is read again.
What is too much for one search is read as two halves.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from connectors.contract import Page, Position, Record
from connectors.errors import TransientError
from connectors.netsuite.soap.faults import SearchExpired, TooMuch

# Nothing in an account is older than NetSuite itself; where the middle of an open window is.
FIRST_YEAR = datetime(1998, 1, 1, tzinfo=UTC)
# More than these are not read in one search: it would outlive its 15 minutes, and be repeated in full.
MOST_RECORDS = 20_000
REPEATS = 3
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Window:
    """Stamps from `start` to `end`, both of which count, in whole seconds; without a start, from the first on."""

    start: datetime | None
    end: datetime

    def criterion(self) -> dict[str, str]:
        """The window as a search field."""
        if self.start is None:
            return {"operator": "onOrBefore", "searchValue": written(self.end)}
        return {"operator": "within", "searchValue": written(self.start), "searchValue2": written(self.end)}

    def halves(self) -> tuple["Window", "Window"] | None:
        """The window in two, the earlier half first; None where it cannot be smaller."""
        start = self.start or min(FIRST_YEAR, self.end - _SECOND)
        if self.end - start < _SECOND:
            return None
        middle = start + timedelta(seconds=int((self.end - start).total_seconds()) // 2)
        return Window(self.start, middle), Window(middle + _SECOND, self.end)


@dataclass(frozen=True)
class Found:
    """A page of a search: records by their ids, the number of all, and what the next page is asked for with."""

    records: Sequence[tuple[str, Record]]
    total: int
    pages: int
    search_id: str


class Search(Protocol):
    """How a window is searched."""

    def begin(self, criterion: dict[str, str] | None) -> Found:
        """The first page; None searches without a window."""

    def more(self, search_id: str, index: int) -> Found:
        """Page `index`, from 2 on. Raises SearchExpired."""


def walk(name: str, search: Search, window: Window) -> Iterator[Page]:
    """The records of the window in the order of their halves; a position after each part that was read whole."""
    pending = [window]
    while pending:
        part = pending.pop()
        halves = part.halves()
        try:
            for records in steady(name, search, part.criterion(), divisible=halves is not None):
                yield Page(records, None)
        except TooMuch:
            if halves is None:
                raise
            pending.extend(reversed(halves))
            continue
        yield Page((), Position(part.end))


def steady(
    name: str, search: Search, criterion: dict[str, str] | None, divisible: bool = False
) -> Iterator[Sequence[Record]]:
    """The records of one search, begun again until its count proves them. They may come more than once.

    Raises TooMuch where it may be divided and is too large; TransientError where it may not, or moves too much.
    """
    for _ in range(REPEATS):
        try:
            counted = yield from _once(search, criterion, MOST_RECORDS if divisible else None)
        except TooMuch as error:
            if divisible:
                raise
            raise TransientError(f"{name} is too much for one search, and cannot be divided. {error}") from error
        if counted:
            return
    raise TransientError(f"{name} kept changing while it was read, {REPEATS} times, or a page came twice each time.")


def _once(
    search: Search, criterion: dict[str, str] | None, most: int | None
) -> Generator[Sequence[Record], None, bool]:
    """Hand over the pages of a search; returns whether they were all, by the count that every page told."""
    found = search.begin(criterion)
    total, ids, same = found.total, set[str](), True
    if most is not None and total > most:
        raise TooMuch(f"The window holds {total:,} records.")
    for index in range(2, found.pages + 2):
        ids.update(key for key, _ in found.records)
        yield [record for _, record in found.records]
        if index > found.pages:
            break
        try:
            found = search.more(found.search_id, index)
        except SearchExpired:
            return False
        same = same and found.total == total
    return same and len(ids) == total


def written(moment: datetime) -> str:
    """An instant as SuiteTalk takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
