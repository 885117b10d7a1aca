"""What each REST resource answers, as JSON text (vendors.md A2, A4). Errors are ApiError; HTTP is elsewhere."""

import json
from datetime import UTC, datetime

from sandbox.salesforce.cursors import Cursor, Cursors
from sandbox.salesforce.describe import global_description, object_description
from sandbox.salesforce.errors import EntityDeleted, InvalidReplicationDate, MalformedQuery, NotFound
from sandbox.salesforce.fields import IS_DELETED
from sandbox.salesforce.ids import normal_id
from sandbox.salesforce.org import OrgView, SalesforceOrg
from sandbox.salesforce.quota import Quota
from sandbox.salesforce.soql_query import answer
from sandbox.salesforce.soql_select import whole_record
from sandbox.salesforce.table import TableView
from sandbox.salesforce.wire import instant_text

OLDEST_VERSION, NEWEST_VERSION = 31, 68


class Resources:
    """The org behind the API. `version` is the text of the URL, such as 68.0."""

    def __init__(self, org: SalesforceOrg, quota: Quota) -> None:
        self._org = org
        self._quota = quota
        self._cursors = Cursors(org.now)

    def versions(self) -> str:
        numbers = [f"{number}.0" for number in range(OLDEST_VERSION, NEWEST_VERSION + 1)]
        return json.dumps([{"label": f"v{n}", "url": f"/services/data/v{n}", "version": n} for n in numbers])

    def query(self, version: str, soql: str, batch: int, with_deleted: bool) -> str:
        """The first `batch` records of a query; `with_deleted` is queryAll."""
        if not soql.strip():
            raise MalformedQuery("unexpected token: '<EOF>'", 0)
        result = answer(soql, self._org.view(), self._org.now(), with_deleted)
        return _batch_text(version, *self._cursors.start(result, batch))

    def query_more(self, version: str, locator: str) -> str:
        return _batch_text(version, *self._cursors.resume(locator))

    def sobjects(self, version: str) -> str:
        return json.dumps(global_description(self._org.view(), version))

    def describe(self, version: str, object_name: str) -> str:
        view = self._org.view()
        return json.dumps(object_description(view, _table(view, object_name).shape, version))

    def retrieve(self, version: str, object_name: str, record_id: str) -> str:
        """One record with all its fields; EntityDeleted while it is in the recycle bin."""
        table = _table(self._org.view(), object_name)
        row = table.rows.get(normal_id(record_id) or "")
        if row is None:
            raise NotFound
        if row[IS_DELETED]:
            raise EntityDeleted
        return whole_record(table.shape).writer(version)(row)

    def deleted(self, object_name: str, start: str, end: str) -> str:
        _table(self._org.view(), object_name)
        found = self._org.deleted(object_name, _instant("start", start), _instant("end", end))
        records = [{"id": key, "deletedDate": instant_text(when)} for key, when in found.records]
        return json.dumps(
            {
                "deletedRecords": records,
                "earliestDateAvailable": instant_text(found.earliest_available),
                "latestDateCovered": instant_text(found.latest_covered),
            }
        )

    def updated(self, object_name: str, start: str, end: str) -> str:
        _table(self._org.view(), object_name)
        until = _instant("end", end)
        ids = self._org.updated(object_name, _instant("start", start), until)
        covered = min(until, self._org.now()).astimezone(UTC).replace(second=0)
        return json.dumps({"ids": ids, "latestDateCovered": instant_text(covered)})

    def limits(self) -> str:
        return json.dumps(self._quota.shown())

    def record_count(self, object_names: str) -> str:
        """How many live records the named objects have, or all; objects that are not seen are left out."""
        view = self._org.view()
        wanted = [name.strip() for name in object_names.split(",") if name.strip()] or view.names()
        tables = [table for name in wanted if (table := view.table(name))]
        counts = [{"count": _live(table), "name": table.shape.name} for table in tables]
        return json.dumps({"sObjects": counts})


def _batch_text(version: str, cursor: Cursor, locator: str | None) -> str:
    result = cursor.result
    write = result.writer(version)
    records = ",".join([write(row) for row in result.rows[cursor.offset : cursor.offset + cursor.batch]])
    done = '"done":true' if locator is None else '"done":false'
    more = "" if locator is None else f',"nextRecordsUrl":"/services/data/v{version}/query/{locator}"'
    return f'{{"totalSize":{result.total},{done}{more},"records":[{records}]}}'


def _live(table: TableView) -> int:
    return sum(not row[IS_DELETED] for row in table.rows.values())


def _table(view: OrgView, object_name: str) -> TableView:
    table = view.table(object_name)
    if table is None:
        raise NotFound
    return table


def _instant(name: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidReplicationDate(f"{name} is not an ISO 8601 date and time: '{text}'") from None
    if instant.tzinfo is None:
        raise InvalidReplicationDate(f"{name} has no time zone: '{text}'")
    return instant
