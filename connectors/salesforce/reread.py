"""When everything of an object is read again although its stamps say nothing.

A formula or a roll-up that recalculates, or a parent that a cross-object formula reads, moves no SystemModstamp
(vendors.md A3, E4). So an object whose mapping says `reread_hours` is read in full that often; when that last was, is
kept in the token of its positions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.contract import Page, Position
from connectors.errors import MappingError
from connectors.mapping import ObjectMapping
from connectors.salesforce.bulk_position import BulkPosition

OPTION = "reread_hours"
_MARK = "read "


@dataclass(frozen=True)
class Reread:
    """How often an object is read in full; None is never again."""

    every: timedelta | None

    @classmethod
    def of(cls, mapped: ObjectMapping) -> "Reread":
        """Raises MappingError for an option that is no number of hours."""
        hours = mapped.options.get(OPTION)
        if hours is None:
            return cls(None)
        if type(hours) is not int or hours < 1:
            raise MappingError(f"{mapped.name} has {OPTION} set to {hours!r}; it must be a whole number of hours.")
        return cls(timedelta(hours=hours))

    def due(self, since: Position | None, now: datetime) -> bool:
        """Whether the walk begins with the first record."""
        if since is None:
            return True
        read_at = _read_at(since)
        return self.every is not None and (read_at is None or now - read_at >= self.every)

    def marked(self, pages: Iterator[Page], since: Position | None, began: datetime) -> Iterator[Page]:
        """The pages, with the time of the last full reading in their positions. `began` is when this walk did."""
        read_at = began if self.due(since, began) else _read_at(since)
        for page in pages:
            inside = BulkPosition.of(page.position)
            if self.every is None or read_at is None or page.position is None or inside:
                yield page
            else:
                yield Page(page.records, replace(page.position, token=f"{_MARK}{read_at.isoformat()}"))


def _read_at(since: Position | None) -> datetime | None:
    """When everything was read last, as far as the position knows."""
    if since is None:
        return None
    job = BulkPosition.of(since)
    written = job.created_at if job else since.token.removeprefix(_MARK)
    return datetime.fromisoformat(written) if job or since.token.startswith(_MARK) else None
