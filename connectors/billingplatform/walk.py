"""Walks through one object: along its key, or along its stamp and then its key; never by offset."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from connectors import telemetry
from connectors.billingplatform.answers import Row
from connectors.billingplatform.config import BillingPlatformConfig
from connectors.billingplatform.query import Queries
from connectors.billingplatform.statement import STAMP, Select, Statement, in_utc, literal, local
from connectors.contract import Page, Position, Record
from connectors.errors import PermanentError

# Values of one list: the statement travels in a URL, which proxies cut at 8,000 characters.
MOST_VALUES = 200


class Walk:
    """Walks of one source. Raises PermanentError when a page brings the walk no further."""

    def __init__(self, queries: Queries, config: BillingPlatformConfig) -> None:
        self._queries = queries
        self._system = config.system
        self._zone = config.time_zone
        self._rows = config.page

    def by_stamp(self, select: Select, start: datetime | None) -> Iterator[Page]:
        """Records stamped from `start` on, or all that have a stamp; each page with its position."""
        at, key = (local(start, self._zone), "") if start else ("", "")
        order = f"{select.stamp}, {select.key}"
        # A poll that finds nothing leaves its position where it is, so that a wrong 404 costs it no record.
        sure = start is None
        while True:
            statement = select.page((select.after(at, key),), order, self._rows)
            rows = self._page(select, statement, sure=sure)
            if rows:
                before, (at, key) = (at, key), (str(rows[-1].get(STAMP)), str(rows[-1][statement.mark]))
                self._require_advance(select, before, (at, key))
                yield Page([select.record(row) for row in rows], Position(self._stamp(select, at), key))
            if len(rows) < self._rows and not (rows and sure and self._follows(select, (select.after(at, key),))):
                return

    def by_key(self, select: Select, conditions: Sequence[str] = ()) -> Iterator[Sequence[Record]]:
        """Records that meet the conditions."""
        last = ""
        while True:
            after = (*conditions, _beyond(select, last)) if last else conditions
            statement = select.page(after, select.key, self._rows)
            rows = self._page(select, statement)
            if rows:
                before, last = last, str(rows[-1][statement.mark])
                self._require_advance(select, ("", before), ("", last))
                yield [select.record(row) for row in rows]
            if len(rows) < self._rows and not (rows and self._follows(select, (*conditions, _beyond(select, last)))):
                return

    def having(self, select: Select, column: str, values: Sequence[str]) -> Iterator[Sequence[Record]]:
        """Records whose column has one of the values."""
        wanted = list(dict.fromkeys(values))
        for start in range(0, len(wanted), MOST_VALUES):
            listed = ", ".join(literal(value) for value in wanted[start : start + MOST_VALUES])
            yield from self.by_key(select, (f"{column} IN ({listed})",))

    def _follows(self, select: Select, conditions: Sequence[str]) -> bool:
        """Whether there are others after a page that is not full: by what such a walk does not see, rows are buried."""
        return self._queries.count(select.page(conditions, select.key, self._rows)) > 0

    def _page(self, select: Select, statement: Statement, *, sure: bool = True) -> Sequence[Row]:
        return telemetry.page(self._system, select.name, lambda: self._queries.rows(statement, sure=sure))

    def _stamp(self, select: Select, text: str) -> datetime:
        try:
            return datetime.fromisoformat(in_utc(text, self._zone)).astimezone(UTC)
        except ValueError as error:
            raise PermanentError(
                f"{self._system} wrote the {select.raw_stamp} of {select.name} as {text!r}, which is no time."
            ) from error

    def _require_advance(self, select: Select, before: tuple[str, str], after: tuple[str, str]) -> None:
        if before == after:
            raise PermanentError(f"{self._system} did not advance past {after[1]} of {select.name}: a page came twice.")


def _beyond(select: Select, key: str) -> str:
    return f"{select.key} > {literal(key)}"
