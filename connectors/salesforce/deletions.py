"""What was deleted: the recycle bin by queryAll, then the chain of getDeleted, which also knows emptied bins.

Facts: vendors.md A4. The chain goes on where the last answer says that it ends (`latestDateCovered`).
"""

from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Position
from connectors.errors import CursorLost
from connectors.mapping import ObjectMapping
from connectors.salesforce.door import IdLimitExceeded
from connectors.salesforce.keyset import Keyset
from connectors.salesforce.org import Org
from connectors.salesforce.schema import Schema
from connectors.salesforce.soql import Select, parsed_instant

# Rows commit after their stamp, deletions too.
LOOK_BACK = timedelta(minutes=10)
# getDeleted reaches back 15 days, and wants more than one minute between its ends.
REACH = timedelta(days=15)
LEAST_WINDOW = timedelta(minutes=2)


class Deletions:
    """The keys of one object's deleted records."""

    def __init__(self, org: Org, schema: Schema, mapped: ObjectMapping) -> None:
        self._org = org
        self._schema = schema
        self._mapped = mapped
        self._earliest: datetime | None = None

    def since(self, moment: datetime | None) -> Iterator[str]:
        """The keys that are known. Raises CursorLost after them where the lists do not hold all since `moment`."""
        yield from self._recycled(moment)
        if moment is None or not self._schema.replicates(self._mapped.name):
            return
        now = self._org.source_time()
        start = max(moment - LOOK_BACK, now - REACH + LEAST_WINDOW)
        covered = yield from self._listed(start, now)
        known_from = max(start, self._earliest or start)
        if known_from > moment:
            raise self._lost(f"before {known_from}")
        if covered < now - LOOK_BACK:
            raise self._lost(f"after {covered}")

    def _lost(self, when: str) -> CursorLost:
        return CursorLost(f"{self._org.system} no longer knows what was deleted of {self._mapped.name} {when}.")

    def _recycled(self, moment: datetime | None) -> Iterator[str]:
        mapped = self._mapped
        if not self._schema.has(mapped.name, "IsDeleted") or not mapped.modified:
            return
        stamp, key = mapped.modified.path, mapped.key[0].path
        select = Select(mapped.name, (key, stamp), key, stamp, ("IsDeleted = true",), deleted=True)
        after = Position(moment - LOOK_BACK) if moment else None
        for records in Keyset(self._org, select, after).pages():
            yield from (str(record[key]) for record in records)

    def _listed(self, start: datetime, now: datetime) -> Generator[str, None, datetime]:
        """The chain from `start` to now. Returns how far it came, which may be less than now."""
        end = now + timedelta(minutes=1)
        covered = start
        while True:
            reached = min((yield from self._window(covered, end)), end)
            if reached >= _whole_minute(now) or reached <= covered:
                return max(reached, covered)
            covered = reached

    def _window(self, start: datetime, end: datetime) -> Generator[str, None, datetime]:
        """One window, in halves where it holds too many keys. Returns up to when it is covered."""
        try:
            said = self._org.call(lambda client: _answer(getattr(client, self._mapped.name).deleted(start, end)))
        except IdLimitExceeded:
            if end - start < 2 * LEAST_WINDOW:
                raise
            middle = start + (end - start) / 2
            reached = yield from self._window(start, middle)
            if reached < _whole_minute(middle):
                return reached
            return (yield from self._window(middle - LEAST_WINDOW, end))
        yield from said["keys"]
        self._earliest = max(filter(None, (self._earliest, said["earliest"])), default=None)
        return said["covered"] or end


def _whole_minute(moment: datetime) -> datetime:
    """getDeleted ignores seconds, in what it is asked and in what it says."""
    return moment.replace(second=0, microsecond=0)


def _answer(reply: Any) -> dict[str, Any]:
    """What getDeleted said, read."""
    earliest, covered = reply.get("earliestDateAvailable"), reply.get("latestDateCovered")
    return {
        "keys": [str(entry["id"]) for entry in reply["deletedRecords"]],
        "earliest": parsed_instant(earliest) if earliest else None,
        "covered": parsed_instant(covered) if covered else None,
    }
