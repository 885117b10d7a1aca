"""Salesforce by simple-salesforce: SOQL pages along (SystemModstamp, Id), bulk jobs for what is large, and deletions.

Facts: vendors.md A1 to A5. Rows commit after their stamp, so every poll reads the last ten minutes again.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import ConnectorError, TransientError
from connectors.fields import KEY_SEPARATOR, joined
from connectors.mapping import Mapping, ObjectMapping
from connectors.salesforce.bulk import BulkLoad, NoBulk
from connectors.salesforce.bulk_position import BulkPosition
from connectors.salesforce.bulk_rows import UNSUPPORTED
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.deletions import LOOK_BACK, Deletions
from connectors.salesforce.door import QueryTimeout
from connectors.salesforce.keyset import Keyset
from connectors.salesforce.limits import limits_of, room_for_jobs
from connectors.salesforce.org import Org
from connectors.salesforce.reread import Reread
from connectors.salesforce.schema import Schema
from connectors.salesforce.soql import Select, chunks, counting, mapped, text
from connectors.watermark import look_back

__all__ = ["Salesforce", "SalesforceConfig"]

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Z]{3})?")
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")


class Salesforce:
    """A Connector. One thread at a time; logs in at the first call.

    Raises PermanentError unless exactly one login is configured, MappingError for a wrong `reread_hours`.
    """

    def __init__(self, config: SalesforceConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config.checked()
        self._mapping = mapping
        self._rereads = {name: Reread.of(of) for name, of in mapping.objects.items()}
        self._org = Org(config, clock)
        self._schema = Schema(config.system, self._describe)

    def source_time(self) -> datetime:
        return self._org.source_time()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        """As the contract says; a position inside a bulk job goes on in it, or begins anew where it is gone."""
        of = self._mapping.objects[name]
        self._schema.require(name, of.fields)
        select = mapped(of, of.fields, by_stamp=True)
        job, began = BulkPosition.of(since), self._org.source_time()
        if job or not select.stamp or self._rereads[name].due(since, began):
            pages = self._everything(select, job)
        else:
            start = look_back(since, of.look_back_s, int(LOOK_BACK.total_seconds()))
            pages = self._walk(select, Position(start) if start else None)
        yield from self._rereads[name].marked(pages, since, began)

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """The keys of what lies in the recycle bin, then those of getDeleted, which also knows emptied bins."""
        yield from Deletions(self._org, self._schema, self._mapping.objects[name]).since(since)

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        """As the contract says. Raises TransientError, after the records, where the org counts more than came."""
        of = self._mapping.objects[name]
        before, found = self._quick_count(name), 0
        for records in Keyset(self._org, mapped(of, of.census_fields, by_stamp=False), Position()).pages():
            found += len(records)
            yield records
        self._compare(name, found, before, self._quick_count(name))

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        of = self._mapping.objects[name]
        self._schema.require(name, of.fields)
        literals = self._literals(of, keys)
        key_of, wanted = joined(of.key), set(keys)
        for select in chunks(mapped(of, of.fields, by_stamp=False), literals):
            for records in Keyset(self._org, select, Position()).pages():
                yield [record for record in records if len(of.key) == 1 or key_of(record) in wanted]

    def fields(self, name: str) -> Sequence[SourceField]:
        return self._schema.fields(name)

    def count(self, name: str) -> int | None:
        return self._count(name, timeouts=False)

    def limits(self) -> Sequence[Limit]:
        return limits_of(self._org.call(lambda client: client.limits()))

    def close(self) -> None:
        self._org.close()

    def _walk(self, select: Select, after: Position | None) -> Iterator[Page]:
        walk = Keyset(self._org, select, after)
        for records in walk.pages():
            yield Page(records, walk.position if select.stamp else None)

    def _everything(self, select: Select, job: BulkPosition | None) -> Iterator[Page]:
        """All records: the rest of a bulk job, or a new one where there are many, or page by page."""
        records, ended = ((), False) if job else self._first_page(select)
        if job or self._is_large(select.name, records, ended):
            try:
                yield from self._by_job(select, job)
                return
            except NoBulk as refused:
                log.warning("%s is read by REST, page by page. %s", select.name, refused)
        if ended and not records:
            self._compare(select.name, 0, self._quick_count(select.name))
        last = select.position(records[-1]) if records else None
        if records:
            yield Page(records, last if select.stamp else None)
        if not ended:
            yield from self._walk(select, last)

    def _first_page(self, select: Select) -> tuple[Sequence[Record], bool]:
        """The first page and whether it is all; nothing where even that takes too long."""
        try:
            return self._org.page(select, select.page(None), timeouts=True)
        except QueryTimeout:
            return (), False

    def _is_large(self, name: str, records: Sequence[Record], ended: bool) -> bool:
        """Whether a bulk job is worth it. An object whose first page takes too long is."""
        if not records:
            return not ended
        return (len(records) if ended else self._size(name)) > self._config.bulk_above

    def _by_job(self, select: Select, job: BulkPosition | None) -> Iterator[Page]:
        """Raises NoBulk before anything, where bulk does not know a field or the day's jobs are used up."""
        types = {path: self._schema.type_of(select.name, path) for path in select.fields}
        unknown = [path for path, kind in types.items() if kind in UNSUPPORTED]
        if unknown:
            raise NoBulk(f"Bulk jobs do not give {', '.join(unknown)}.")
        load = BulkLoad(self._org, self._config, select, types)
        if job is None:
            room_for_jobs(self._org, self._config.daily_share)
        yield from load.pages(job)

    def _size(self, name: str) -> int:
        """About how many records the object has: by the cheap list, else by a count; 0 where nothing tells."""
        try:
            reply = self._org.call(lambda client: dict(client.restful("limits/recordCount", {"sObjects": name}) or {}))
            return int(reply["sObjects"][0]["count"])
        except (ConnectorError, KeyError, IndexError):
            pass  # not every integration user may see it
        try:
            return self._count(name, timeouts=True)
        except QueryTimeout:
            return self._config.bulk_above + 1
        except TransientError:
            return 0

    def _count(self, name: str, *, timeouts: bool) -> int:
        soql = counting(self._mapping.objects[name])
        return self._org.call(lambda client: int(client.query(soql)["totalSize"]), timeouts=timeouts)

    def _quick_count(self, name: str) -> int:
        """The org's count; 0 where that takes too long, as it may with millions of records."""
        try:
            return self._count(name, timeouts=True)
        except QueryTimeout:
            return 0

    def _compare(self, name: str, found: int, *counts: int) -> None:
        """Who reads fewer than there are would bury the others. What comes and goes meanwhile moves one count only."""
        if found < min(counts):
            raise TransientError(f"{self._config.system} gave {found:,} records of {name} and counts {min(counts):,}.")

    def _literals(self, of: ObjectMapping, keys: Sequence[str]) -> Sequence[str]:
        """The keys as SOQL wants them, each once; without those that no record can have."""
        kind = self._schema.type_of(of.name, of.key[0].path)
        values = dict.fromkeys(key.split(KEY_SEPARATOR)[0] if len(of.key) > 1 else key for key in keys)
        if kind in ("id", "reference"):
            return [text(value) for value in values if _ID.fullmatch(value)]
        if kind in ("int", "long", "double", "currency", "percent"):
            return [value for value in values if _NUMBER.fullmatch(value)]
        return [text(value) for value in values if value]

    def _describe(self, name: str) -> Any:
        return self._org.call(lambda client: getattr(client, name).describe())
