"""Where a bulk load stands, as the text of a `Position`: a locator stays good for as long as its job exists."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from connectors.contract import Position, Record
from connectors.salesforce.soql import Select


@dataclass(frozen=True)
class BulkPosition:
    """A job, the locator of its next page, and how many rows were handed over.

    `created_at` is the org's clock before the job began. `stamp` and `id` are the largest that were seen.
    """

    job: str
    created_at: str
    locator: str = ""
    handed: int = 0
    stamp: str = ""
    id: str = ""

    @classmethod
    def of(cls, position: Position | None) -> "BulkPosition | None":
        """The position in a job; None where a walk stands elsewhere."""
        if position is None or not position.token.startswith("{"):
            return None
        try:
            said = json.loads(position.token)
            return cls(**said) if "job" in said else None
        except (ValueError, TypeError):
            return None

    def after(self, select: Select, records: list[Record], locator: str) -> "BulkPosition":
        """The position after a page."""
        top = (self.stamp, self.id)
        if select.stamp:
            places = (select.position(record) for record in records)
            stamps = ((place.stamp.isoformat(), place.id) for place in places if place.stamp)
            top = max([top, *stamps])
        return replace(self, locator=locator, handed=self.handed + len(records), stamp=top[0], id=top[1])

    def within(self) -> Position:
        """To go on in the job."""
        return Position(token=json.dumps({name: value for name, value in asdict(self).items() if value}))

    def beyond(self) -> Position:
        """To go on by keyset, after the job: from the last record, but not from after the job's beginning. What
        changed since then may be in the job or not."""
        created = datetime.fromisoformat(self.created_at)
        if not self.stamp or datetime.fromisoformat(self.stamp) >= created:
            return Position(created)
        return Position(datetime.fromisoformat(self.stamp).astimezone(UTC), self.id)
