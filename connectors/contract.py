"""What every connector offers, and the contract that the sync relies on.

At least once: a connector may hand over a record again, and never leaves one out. A page's `position` says
that *everything* up to it has been handed over; the sync stores the rows first and the position after them,
so that a process killed in between reads the page again and changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Position:
    """Where a walk through one object stands: the (stamp, id) of the last record, or a file's name.

    `stamp` is the source's modification stamp in UTC; a connector that walks by windows leaves `id` empty.
    `token` is whatever else the connector needs to go on, as text.
    """

    stamp: datetime | None = None
    id: str = ""
    token: str = ""


@dataclass(frozen=True)
class Page:
    """Some records of one object, as the source sent them. `position` is None where a walk cannot be resumed."""

    records: Sequence[Record]
    position: Position | None


@dataclass(frozen=True)
class SourceField:
    """A field of an object as the source describes it.

    `type` is the source's own word. `values` is the set that the field may hold, empty where it may hold anything.
    """

    name: str
    type: str
    nullable: bool = True
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limit:
    """A limit that the source shares among all who read it: so many of `most` are used in the present window."""

    name: str
    used: int
    most: int


class Connector(Protocol):
    """Reads one system. Object names are the mapping's (`Account`, `RatePlanCharge`, `transaction`, a file pattern)."""

    def source_time(self) -> datetime:
        """The source's clock, UTC: a full walk that starts now covers all that was stamped before (less a lag)."""

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        """Records of an object that changed after `since`, or all; look-back included, so records repeat.

        Raises TransientError after its own retries, PermanentError, CursorLost.
        """

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """Keys that the source deleted since then; nothing where the source keeps no such list.

        `since` is the source's clock at the last complete walk, not the stamp of its last record: an object in which
        nothing changes for weeks would else seem to be out of reach.

        Raises CursorLost, after the keys that are known, when the list does not reach back to `since`: only a
        `census` then tells what is gone.
        """

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        """Every record that the source holds now, with no more than what `Target.takes` and `key_of` read.

        For a slow sweep that buries what vanished without a trace: Zuora keeps no list of deletions, a deleted
        line leaves none in NetSuite, and a hard delete none in Salesforce. Raises PermanentError where absence
        means nothing, as with files.
        """

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        """The records of an object with these keys, as the source holds them now and as `changes` gives them.

        Where a key names no record any more, nothing comes for it. Raises PermanentError where records cannot be
        asked for one by one, as in files.
        """

    def fields(self, name: str) -> Sequence[SourceField]:
        """Every field of an object that the integration user sees, mapped or not; asked afresh.

        Empty where the source describes nothing. Raises SchemaChanged when the object itself is not visible.
        """

    def count(self, name: str) -> int | None:
        """How many records of an object the mapping reads, by the source's own count; None where it has none."""

    def limits(self) -> Sequence[Limit]:
        """How much is used of the limits that the source tells of; asked afresh, and empty where it tells none."""

    def close(self) -> None:
        """Give back connections; the connector is not used after that."""


@dataclass(frozen=True)
class Notified:
    """What a system posted to us: the id of its message (the same when it repeats it), and which records it names.

    `records` are keys by object name of the mapping. `kind` is the message's own word for what happened.
    """

    id: str
    kind: str
    records: Mapping[str, tuple[str, ...]]


class WebhookReader(Protocol):
    """How a vendor's webhook is told from anybody's, and what it says."""

    def __call__(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notified:
        """Check the signature (header names in lower case) and read the message.

        Raises WebhookRefused where the signature is missing, wrong or too old, and where the body is not a message.
        """


@dataclass(frozen=True)
class DraftRun:
    """An invoice run as the billing platform holds it: rows for the books' invoice_runs, invoices, invoice_lines.

    `batches` of the run row is empty where the run bills every account. `whole` is False where the invoices are only
    some of what the platform is about to bill: then nothing can be said of customers who have none among them.
    """

    run: Mapping[str, Any]
    invoices: Sequence[Mapping[str, Any]]
    lines: Sequence[Mapping[str, Any]]
    whole: bool = True


class RunSource(Protocol):
    """A billing platform whose runs can be pulled for validation."""

    def pull(self, run_id: str) -> DraftRun:
        """The run (by id or number) with its draft invoices. Raises UnknownRecord for a run that is not there."""

    def close(self) -> None:
        """Give back connections; the source is not used after that."""
