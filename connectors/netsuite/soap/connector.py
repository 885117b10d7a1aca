"""NetSuite as a Connector, by SuiteTalk SOAP: searches in windows of time, getDeleted, getList (vendors.md B4).

An object of the mapping is a type of record, such as Invoice. An object with `lines` is the lines of another one:
the records are searched, and each of their lines is a record of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import PermanentError, TransientError
from connectors.fields import KEY_SEPARATOR
from connectors.mapping import ERROR
from connectors.mapping import Mapping as SourceMapping
from connectors.netsuite.config import SMALLEST_SOAP_PAGE, NetSuiteConfig
from connectors.netsuite.connector import LOOK_BACK_S
from connectors.netsuite.signing import TokenKeys
from connectors.netsuite.soap.definition import reference_type
from connectors.netsuite.soap.description import described
from connectors.netsuite.soap.faults import RecordMissing, status_error
from connectors.netsuite.soap.objects import SoapObject, soap_object
from connectors.netsuite.soap.records import record_of
from connectors.netsuite.soap.search import RecordSearch
from connectors.netsuite.soap.searching import REPEATS, Window, steady, walk, written
from connectors.netsuite.soap.suitetalk import SuiteTalk
from connectors.watermark import look_back

# A page of records with all their lines: large ones time out (vendors.md E12).
PAGE = 200
# getList takes a thousand references; records with lines are large.
KEYS_AT_ONCE = 200
_UNSTAMPED = {"operator": "empty"}


class NetSuiteSoap:
    """A Connector. One thread at a time; the WSDL is loaded at the first call of the process."""

    def __init__(
        self, config: NetSuiteConfig, keys: TokenKeys, mapping: SourceMapping, clock: Callable[[], datetime]
    ) -> None:
        self._page_size = config.page_size or PAGE
        self._objects = {name: soap_object(mapped) for name, mapped in mapping.objects.items()}
        self._share = config.share(clock)
        self._suitetalk = SuiteTalk(config, keys, clock)

    def source_time(self) -> datetime:
        result = self._suitetalk.call("getServerTime", "", {})
        return datetime.fromisoformat(result.serverTime).astimezone(UTC)

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        what = self._objects[name]
        for page in self._walk(what, since):
            yield Page([line for record in page.records for line in what.records(dict(record))], page.position)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Keys from getDeleted. Lines are not in it: those of a deleted record are found by a `census`."""
        types: Sequence[str] = self._objects[name].mapped.options.get("deleted_types") or ()
        if not types or since is None:
            return
        start = since - timedelta(seconds=LOOK_BACK_S)
        asked = {
            "deletedDate": {"operator": "onOrAfter", "searchValue": written(start)},
            "type": {"operator": "anyOf", "searchValue": list(types)},
        }
        for _ in range(REPEATS):
            found, total = self._deleted(name, asked)
            if len(found) >= total:
                yield from found
                return
        raise TransientError(f"{self._suitetalk.system} lists fewer deletions of {name} than it counts.")

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        """All records as `changes` gives them: a search knows no other shape.

        Raises PermanentError where the lines of a record cannot be told: their absence would mean nothing.
        """
        what = self._objects[name]
        for page in self.changes(name, None):
            unknown = next((r[ERROR] for r in page.records if ERROR in r and what.key_of(r) is None), None)
            if unknown:
                raise PermanentError(f"{name} cannot be compared with the books. {unknown}")
            yield page.records

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        """The key of a line begins with that of its record, by which it is asked for."""
        what, wanted = self._objects[name], set(keys)
        owners = list(dict.fromkeys(key.partition(KEY_SEPARATOR)[0] if what.lines else key for key in keys))
        for begin in range(0, len(owners), KEYS_AT_ONCE):
            records = self._listed(what, owners[begin : begin + KEYS_AT_ONCE])
            yield [record for record in records if what.key_of(record) in wanted]

    def fields(self, name: str) -> Sequence[SourceField]:
        what = self._objects[name]
        # The WSDL describes what there is; only a search tells whether the role may see it.
        self._search(what, SMALLEST_SOAP_PAGE).begin(_UNSTAMPED)
        return described(self._suitetalk.definition, what)

    def count(self, name: str) -> int | None:
        """The account counts records; of lines it keeps no count."""
        what = self._objects[name]
        return None if what.lines else self._search(what, SMALLEST_SOAP_PAGE).begin(None).total

    def limits(self) -> Sequence[Limit]:
        return self._share.limits()

    def close(self) -> None:
        self._suitetalk.close()

    def _deleted(self, name: str, asked: Mapping[str, Any]) -> tuple[set[str], int]:
        """The keys of every page of getDeleted, and how many there are by the account's count."""
        found: set[str] = set()
        index, pages, total = 1, 1, 0
        while index <= pages:
            result = self._suitetalk.call("getDeleted", name, {}, getDeletedFilter=asked, pageIndex=index)
            pages, total, index = result.totalPages or 0, result.totalRecords or 0, index + 1
            deleted = result.deletedRecordList.deletedRecord if result.deletedRecordList else ()
            found.update(one.record.internalId for one in deleted)
        return found, total

    def _walk(self, what: SoapObject, since: Position | None) -> Iterator[Page]:
        search = self._search(what, self._page_size)
        if what.mapped.modified is None:
            yield from (Page(records, None) for records in steady(what.name, search, None))
            return
        end = self.source_time().replace(microsecond=0)
        start = look_back(since, what.mapped.look_back_s, LOOK_BACK_S)
        if start is None:
            # A record without a stamp can only be met in a full walk; it would be in no window.
            yield from (Page(records, None) for records in steady(what.name, search, _UNSTAMPED))
        yield from walk(what.name, search, Window(start.replace(microsecond=0) if start else None, end))

    def _search(self, what: SoapObject, page_size: int) -> RecordSearch:
        return RecordSearch(self._suitetalk, what, page_size)

    def _listed(self, what: SoapObject, keys: Sequence[str]) -> list[Record]:
        reference, kind = self._suitetalk.definition.type("RecordRef"), reference_type(what.record)
        refs = [reference(internalId=key, type=kind) for key in keys]
        result = self._suitetalk.call("getList", what.name, {}, baseRef=refs)
        if len(result.readResponse) != len(keys):
            raise TransientError(f"{self._suitetalk.system} answered getList of {what.name} in part.")
        found: list[Record] = []
        for reply in result.readResponse:
            error = status_error(self._suitetalk.system, f"getList of {what.name}", reply.status)
            if error is None:
                found += what.records(record_of(reply.record, what.record))
            elif not isinstance(error, RecordMissing):
                raise error
        return found
