"""The search for the records of one object, page by page."""

from collections.abc import Mapping
from typing import Any

from connectors import telemetry
from connectors.contract import Record
from connectors.netsuite.soap.objects import SoapObject
from connectors.netsuite.soap.records import KEY, record_of
from connectors.netsuite.soap.searching import Found
from connectors.netsuite.soap.suitetalk import SuiteTalk

_MODIFIED = "lastModifiedDate"


class RecordSearch:
    """Searches by the stamp of the last change. Lines come with their records, so they are always asked for."""

    def __init__(self, suitetalk: SuiteTalk, what: SoapObject, page_size: int) -> None:
        self._suitetalk = suitetalk
        self._what = what
        self._headers = {"searchPreferences": {"bodyFieldsOnly": False, "pageSize": page_size}}

    def begin(self, criterion: dict[str, str] | None) -> Found:
        """The first page of the records whose stamp meets the criterion; of all without one."""
        kind, only = self._suitetalk.definition.search(self._what.record)
        basic: dict[str, Any] = {**({_MODIFIED: criterion} if criterion else {}), **only}
        return self._found("search", {"searchRecord": kind(basic=basic) if basic else kind()})

    def more(self, search_id: str, index: int) -> Found:
        return self._found("searchMoreWithId", {"searchId": search_id, "pageIndex": index})

    def _found(self, operation: str, params: Mapping[str, Any]) -> Found:
        results: list[Any] = []

        def read() -> list[tuple[str, Record]]:
            results.append(self._suitetalk.call(operation, self._what.name, self._headers, **params))
            return self._records(results[0])

        records = telemetry.page(self._suitetalk.system, self._what.name, read)
        (result,) = results
        return Found(records, result.totalRecords or 0, result.totalPages or 0, result.searchId or "")

    def _records(self, result: Any) -> list[tuple[str, Record]]:
        """Records by their ids; one that shows none is counted by its place."""
        values = result.recordList.record if result.recordList else []
        records = [record_of(value, self._what.record) for value in values]
        return [(record.get(KEY) or f"{result.pageIndex}.{n}", record) for n, record in enumerate(records)]
