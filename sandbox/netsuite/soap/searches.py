"""Searches: which rows a search record asks for, page by page, each page by a new search (vendors.md B4)."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.soap.records import CUSTOMER, TRANSACTIONS, RecordKind, Row, records
from sandbox.netsuite.soap.refusals import SoapFault, StatusRefused, not_permitted, too_many_records, unexpected

SMALLEST_PAGE, LARGEST_PAGE = 5, 1000
LIFE = timedelta(minutes=15)
"""How long a search can be continued."""

Holds = Callable[[Any], bool]


@dataclass(frozen=True)
class Search:
    """A search that was begun. It keeps no rows: every page looks again."""

    record: Any
    page_size: int
    lines: bool
    begun_at: datetime


class Searches:
    """Runs searches over one account. `wall_clock` decides when a search id has expired.

    `most_records`: a search that matches more is refused as too large. `slow_above`: one that matches more times out.
    """

    def __init__(self, account: NetSuiteAccount, wall_clock: Callable[[], datetime]) -> None:
        self.most_records: int | None = None
        self.slow_above: int | None = None
        self._account = account
        self._wall_clock = wall_clock
        self._open: dict[str, Search] = {}
        self._numbers = itertools.count(1)

    def begin(self, record: Any, preferences: Any) -> dict[str, Any]:
        """The first page. `preferences` is the header searchPreferences, or None."""
        size = preferences.pageSize if preferences is not None and preferences.pageSize is not None else LARGEST_PAGE
        if not SMALLEST_PAGE <= size <= LARGEST_PAGE:
            raise StatusRefused("INVALID_SEARCH_PREF", f"pageSize must be {SMALLEST_PAGE} to {LARGEST_PAGE}.")
        body_only = preferences is None or preferences.bodyFieldsOnly is not False
        search = Search(record, size, not body_only, self._wall_clock())
        search_id = f"WEBSERVICES_{self._account.account_id}_{next(self._numbers):08d}"
        self._open[search_id] = search
        return self._page(search, search_id, 1)

    def more(self, search_id: str, index: int) -> dict[str, Any]:
        search = self._open.get(search_id)
        if search is None or self._wall_clock() - search.begun_at > LIFE:
            raise StatusRefused("INVALID_JOB_ID", "The search has expired or does not exist.")
        return self._page(search, search_id, index)

    def expire(self) -> None:
        """End every search that was begun."""
        self._open.clear()

    def _page(self, search: Search, search_id: str, index: int) -> dict[str, Any]:
        kinds, rows = self._found(search.record)
        pages = -(-len(rows) // search.page_size)
        if index < 1 or (index > pages and index > 1):
            raise StatusRefused("INVALID_SEARCH_PAGE_INDEX", f"There is no page {index} of {pages}.")
        shown = rows[(index - 1) * search.page_size : index * search.page_size]
        found = records(self._account, kinds, shown, lines=search.lines)
        return {
            "status": {"isSuccess": True},
            "totalRecords": len(rows),
            "pageSize": search.page_size,
            "totalPages": pages,
            "pageIndex": index,
            "searchId": search_id,
            "recordList": {"record": found} if found else None,
        }

    def _found(self, record: Any) -> tuple[Sequence[RecordKind], Sequence[Row]]:
        basic = record.basic if record is not None else None
        kinds = _kinds(record, basic)
        table = kinds[0].table
        if table not in self._account.schema():
            raise not_permitted(table)
        holds = _condition(basic)
        rows = [row for row in self._account.rows(table) if any(kind.takes(row) for kind in kinds) and holds(row)]
        if self.most_records is not None and len(rows) > self.most_records:
            raise too_many_records(self.most_records)
        if self.slow_above is not None and len(rows) > self.slow_above:
            raise unexpected("sandbox-slow", "The search timed out.")
        return kinds, rows


def _kinds(record: Any, basic: Any) -> Sequence[RecordKind]:
    name = type(record).__name__
    if name == "CustomerSearch":
        return [CUSTOMER]
    if name != "TransactionSearch":
        raise SoapFault("unexpectedErrorFault", "USER_ERROR", f"{name} is no search record of this service.")
    if basic is None or basic.type is None:
        return list(TRANSACTIONS.values())
    unknown = [word for word in basic.type.searchValue if not word.startswith("_")]
    if unknown:
        raise StatusRefused("INVALID_KEY_OR_REF", f"{unknown[0]} is no transaction type.")
    wanted = [word in basic.type.searchValue for word in TRANSACTIONS]
    chosen = [kind for kind, is_in in zip(TRANSACTIONS.values(), wanted, strict=True) if is_in]
    return chosen or [RecordKind("none", "transaction", "none", lambda *_: None)]


def _condition(basic: Any) -> Callable[[Row], bool]:
    """What the fields of a basic search ask of a row."""
    if basic is None:
        return lambda _: True
    tests: list[Callable[[Row], bool]] = []
    if basic.lastModifiedDate is not None:
        stamped = moment_test(basic.lastModifiedDate)
        tests.append(lambda row: stamped(row.get("lastmodifieddate")))
    if basic.internalId is not None:
        keys = {ref.internalId for ref in basic.internalId.searchValue}
        tests.append(lambda row: str(row["id"]) in keys)
    return lambda row: all(test(row) for test in tests)


def moment_test(field: Any) -> Holds:
    """A SearchDateField as a test of a moment; bounds count. Raises StatusRefused for what the vendor refuses."""
    if field.operator in ("empty", "notEmpty"):
        return lambda moment: (moment is None) == (field.operator == "empty")
    low = _aware(field.searchValue)
    if field.operator == "within":
        high = _aware(field.searchValue2)
        return lambda moment: moment is not None and low <= moment <= high
    tests: dict[str, Holds] = {
        "after": lambda moment: moment > low,
        "onOrAfter": lambda moment: moment >= low,
        "before": lambda moment: moment < low,
        "onOrBefore": lambda moment: moment <= low,
    }
    if field.operator not in tests:
        raise StatusRefused("INVALID_SEARCH_OPERATOR", f"The operator {field.operator} is not supported here.")
    test = tests[field.operator]
    return lambda moment: moment is not None and test(moment)


def _aware(value: datetime | None) -> datetime:
    if value is None or value.tzinfo is None:
        raise StatusRefused("INVALID_SEARCH_VALUE", "A date search needs its values, with their offset.")
    return value.astimezone(UTC)
