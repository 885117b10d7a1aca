"""A walk along (stamp, key), page by page: no page is cut inside a tie, and no offset shifts while records change.

A query that takes Salesforce too long is asked again for half the time span, down to a minute (vendors.md A2, E13).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from connectors.contract import Position, Record
from connectors.errors import PermanentError, TransientError
from connectors.salesforce.door import QueryTimeout
from connectors.salesforce.org import Org
from connectors.salesforce.soql import Select

LEAST_SPAN = timedelta(minutes=1)
# Before any Salesforce record was stamped.
BEGINNING = datetime(1999, 1, 1, tzinfo=UTC)


class Keyset:
    """One walk through one select. `position` is that of the last record that was handed over."""

    def __init__(self, org: Org, select: Select, after: Position | None) -> None:
        self._org = org
        self._select = select
        self.position = after
        self._span = timedelta(0)
        self._until: datetime | None = None

    def pages(self) -> Iterator[Sequence[Record]]:
        """The records after the position, in order. Raises TransientError, PermanentError."""
        while True:
            try:
                records, ended = self._page()
            except QueryTimeout:
                self._halve()
                continue
            if records:
                self.position = self._advanced(records[-1])
                yield records
            if records and not ended:
                continue
            if self._until is None:
                return
            self._go_on()

    def _page(self) -> tuple[Sequence[Record], bool]:
        soql = self._select.page(self.position, self._until)
        return self._org.page(self._select, soql, timeouts=self._width() >= 2 * LEAST_SPAN)

    def _start(self) -> datetime:
        return self.position.stamp if self.position and self.position.stamp else BEGINNING

    def _width(self) -> timedelta:
        """How much time the next query covers; none where records are not walked by time."""
        if not self._select.stamp:
            return timedelta(0)
        return (self._until or self._org.source_time()) - self._start()

    def _halve(self) -> None:
        self._span = self._width() / 2
        self._until = self._start() + self._span

    def _go_on(self) -> None:
        """To the next span of the same width, the last of which has no end."""
        assert self._until is not None, "a walk without spans has come to its end"
        self.position = Position(self._until)
        following = self._until + self._span
        self._until = following if following < self._org.source_time() else None

    def _advanced(self, record: Record) -> Position:
        before, after = self.position, self._select.position(record)
        system, name = self._org.system, self._select.name
        if before is None:
            return after
        if (before.stamp, before.id) == (after.stamp, after.id):
            raise PermanentError(f"{system} did not advance past {after.id} of {name}: a page came twice.")
        if before.stamp and after.stamp and after.stamp < before.stamp:
            raise TransientError(f"{system} answered with an older page of {name} than was asked for.")
        return after
