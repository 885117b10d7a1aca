"""The delete log of one object and what getDeleted tells of it (vendors.md A4)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.salesforce.errors import IdLimitExceeded, InvalidReplicationDate

REACH = timedelta(days=15)
ID_LIMIT = 600_000
_LEAST_WINDOW = timedelta(minutes=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Deleted:
    """`records` are (id, when), oldest first; the next call starts at `latest_covered`.

    Where `earliest_available` is later than the start that was asked for, deletions before it are lost to the caller.
    """

    records: list[tuple[str, datetime]]
    earliest_available: datetime
    latest_covered: datetime


@dataclass
class DeleteLog:
    """Soft deletions by record id. `purged_until`: nothing before it can be relied on any more."""

    entries: dict[str, datetime] = field(default_factory=dict)
    purged_until: datetime = _NEVER

    def add(self, record_id: str, when: datetime) -> None:
        self.entries[record_id] = when

    def forget(self, record_id: str) -> None:
        self.entries.pop(record_id, None)

    def purge(self, record_id: str, now: datetime) -> None:
        """The record is physically gone, with its entry: only its absence can tell that it was there."""
        self.purged_until = max(self.purged_until, self.entries.pop(record_id, now))

    def between(self, start: datetime, end: datetime, now: datetime, id_limit: int = ID_LIMIT) -> Deleted:
        """The deletions in [start, end), seconds of both ignored.

        InvalidReplicationDate unless start is more than a minute before end; IdLimitExceeded above `id_limit` ids.
        """
        start, end = window(start, end)
        earliest = max(now - REACH, self.purged_until)
        found = [(key, when) for key, when in self.entries.items() if max(start, earliest) <= when < end]
        if len(found) > id_limit:
            raise IdLimitExceeded(f"more than {id_limit} ids in the window; choose dates that are closer together")
        found.sort(key=lambda entry: (entry[1], entry[0]))
        return Deleted(found, earliest, min(end, _whole_minute(now)))


def window(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The two without their seconds. InvalidReplicationDate unless start is more than a minute before end."""
    start, end = _whole_minute(start), _whole_minute(end)
    if end - start <= _LEAST_WINDOW:
        raise InvalidReplicationDate("startDate must be before endDate by more than one minute")
    return start, end


def _whole_minute(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(second=0, microsecond=0)
