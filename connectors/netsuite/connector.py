"""NetSuite as a Connector, by SuiteQL: pages along (date of change in UTC, key), and the list of deleted records.

Facts: vendors.md B1, B6 to B8. Offset paging stops at 100,000 rows and drifts while data change, so only first
pages are ever asked for. Stamps have one-second grain and rows commit behind them: a poll reads the last day again.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from connectors import telemetry
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import PermanentError, TransientError
from connectors.mapping import Mapping
from connectors.netsuite.config import NetSuiteConfig
from connectors.netsuite.description import catalogue, described
from connectors.netsuite.session import TOKEN_PATH, session
from connectors.netsuite.suiteql import PAGE, Row, Select, Statement, SuiteQL, moment
from connectors.watermark import look_back

__all__ = ["TOKEN_PATH", "NetSuite", "NetSuiteConfig"]

LOOK_BACK_S = 86_400
DELETED, RECORD_ID = "deletedrecord", "recordid"
# Keys of one `IN` list: Oracle takes a thousand.
KEYS_AT_ONCE = 500


class NetSuite:
    """A Connector. One thread at a time; logs in at the first call."""

    def __init__(self, config: NetSuiteConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._share = config.share(clock)
        self._session = session(config, clock)
        self._page_size = config.page_size or PAGE
        self._suiteql = SuiteQL(self._session, config.retries, self._page_size)

    def source_time(self) -> datetime:
        self._config.retries.call(self._session.greet, self._config.system)
        return self._session.wire.source_time()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        mapped = self._mapping.objects[name]
        select = Select(mapped, mapped.fields)
        if mapped.modified is None:
            for records in self._by_key(select, name, ()):
                yield Page(records, None)
            return
        start = look_back(since, mapped.look_back_s, LOOK_BACK_S)
        if start is None:
            # A record without a stamp can only be met in a full walk; it would be in no later one.
            for records in self._by_key(select, name, (f"{select.stamp} IS NULL",)):
                yield Page(records, None)
        yield from self._by_stamp(select, name, start)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Keys from `deletedrecord`. Lines leave none there: a deleted line is found by a `census`."""
        types: Sequence[str] = self._mapping.objects[name].options.get("deleted_types") or ()
        if not types or since is None:
            return
        start = since - timedelta(seconds=LOOK_BACK_S)
        last = ""
        while True:
            page = self._suiteql.page(_deleted(types, start, last))
            yield from (row[RECORD_ID] for row in page.rows)
            if not page.more:
                return
            last = self._advanced(DELETED, last, page.rows[-1][RECORD_ID])

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        """As the contract says. Raises TransientError, after the records, where the account counts more than came."""
        mapped = self._mapping.objects[name]
        before, found = self.count(name), 0
        for records in self._by_key(Select(mapped, mapped.census_fields), name, ()):
            found += len(records)
            yield records
        # What comes and goes meanwhile moves one of the counts only.
        least = min(before, self.count(name))
        if found < least:
            raise TransientError(f"{self._config.system} gave {found:,} records of {name} and counts {least:,}.")

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        mapped = self._mapping.objects[name]
        select = Select(mapped, mapped.fields)
        wanted = list(dict.fromkeys(keys))
        for begin in range(0, len(wanted), min(KEYS_AT_ONCE, self._page_size)):
            chunk = wanted[begin : begin + min(KEYS_AT_ONCE, self._page_size)]
            rows, _ = self._page(name, select.page((select.key_in(chunk),), select.key_order))
            yield [select.record(row) for row in rows]

    def fields(self, name: str) -> Sequence[SourceField]:
        listed = self._config.retries.call(lambda: catalogue(self._session, name), self._config.system)
        return described(listed, self._suiteql, self._mapping.objects[name])

    def count(self, name: str) -> int:
        mapped = self._mapping.objects[name]
        statement = Select(mapped, ()).count()
        counted = [row[statement.mark] for row in self._suiteql.page(statement).rows]
        if len(counted) != 1 or not counted[0].isdecimal():
            raise TransientError(f"{self._config.system} was asked how many {name} there are, and gave no number.")
        return int(counted[0])

    def limits(self) -> Sequence[Limit]:
        return self._share.limits()

    def close(self) -> None:
        self._session.wire.close()

    def _by_stamp(self, select: Select, name: str, start: datetime | None) -> Iterator[Page]:
        at, key = (moment(start), "") if start else ("", "")
        while True:
            statement = select.page(select.after(at, key), select.order)
            rows, more = self._page(name, statement)
            if not rows:
                return
            before, (at, key) = (at, key), select.cursor(rows[-1], statement.mark)
            if (at, key) == before:
                raise self._stuck(name, key)
            position = Position(datetime.fromisoformat(f"{at}+00:00"), key)
            yield Page([select.record(row) for row in rows], position)
            if not more:
                return

    def _by_key(self, select: Select, name: str, conditions: Sequence[str]) -> Iterator[Sequence[Record]]:
        last = ""
        while True:
            after = (*conditions, select.key_after(last)) if last else conditions
            statement = select.page(after, select.key_order)
            rows, more = self._page(name, statement)
            if rows:
                yield [select.record(row) for row in rows]
                last = self._advanced(name, last, rows[-1][statement.mark])
            if not more:
                return

    def _page(self, name: str, statement: Statement) -> tuple[Sequence[Row], bool]:
        """The rows, and whether others follow."""
        more = False

        def read() -> Sequence[Row]:
            nonlocal more
            page = self._suiteql.page(statement)
            more = page.more
            return page.rows

        return telemetry.page(self._config.system, name, read), more

    def _advanced(self, name: str, before: str, after: str) -> str:
        if before == after:
            raise self._stuck(name, after)
        return after

    def _stuck(self, name: str, key: str) -> PermanentError:
        return PermanentError(f"{self._config.system} did not advance past {key} of {name}: a page came twice.")


def _deleted(types: Sequence[str], start: datetime, last: str) -> Statement:
    """Records of these types that were deleted since `start`, by their number."""
    listed = ", ".join(f"'{kind}'" for kind in types)
    after = f" AND recordid > {last}" if last else ""
    text = (
        f"SELECT DISTINCT recordid AS {RECORD_ID} FROM {DELETED} WHERE type IN ({listed})"
        f" AND SYS_EXTRACT_UTC(deleteddate) >= TO_TIMESTAMP('{moment(start)}', 'YYYY-MM-DD HH24:MI:SS'){after}"
        " ORDER BY recordid ASC"
    )
    return Statement(text, RECORD_ID)
