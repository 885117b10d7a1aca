"""Salesforce by simple-salesforce: SOQL pages along (SystemModstamp, Id), and deletions by two lists.

Facts: vendors.md A1 to A4. Rows commit after their stamp, so every poll reads the last ten minutes again.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from simple_salesforce.api import Salesforce as Client
from simple_salesforce.exceptions import SalesforceError

from connectors import telemetry
from connectors.contract import Limit, Page, Position, Record, SourceField
from connectors.errors import CursorLost, LoginRefused, PermanentError, TransientError
from connectors.mapping import Mapping, ObjectMapping
from connectors.retries import RetryPolicy
from connectors.salesforce.door import Door, IdLimitExceeded, SessionEnded, session_through
from connectors.salesforce.schema import Schema
from connectors.watermark import look_back

PAGE = 2_000
LOOK_BACK_S = 600
# getDeleted reaches back 15 days, and wants more than one minute between its ends (vendors.md A4).
REACH = timedelta(days=15)
LEAST_WINDOW = timedelta(minutes=2)
_HEADERS = {"Sforce-Query-Options": f"batchSize={PAGE}", "X-PrettyPrint": "0"}

R = TypeVar("R")


@dataclass(frozen=True)
class SalesforceConfig:
    """`base_url` is the My Domain URL; every call goes there, whatever address a reply names.

    `timeout_s` is above the two minutes after which Salesforce gives up a query.
    """

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    system: str = "salesforce"
    api_version: str = "67.0"
    timeout_s: float = 150.0
    retries: RetryPolicy = field(default_factory=RetryPolicy)


class Salesforce:
    """A Connector. One thread at a time; logs in at the first call."""

    def __init__(self, config: SalesforceConfig, mapping: Mapping, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._mapping = mapping
        self._door = Door(config.system, config.base_url, config.timeout_s, clock)
        self._session = session_through(self._door)
        self._client: Client | None = None
        self._schema = Schema(config.system, self._describe)

    def source_time(self) -> datetime:
        if self._client is None:
            self._call(lambda client: client.sf_version)
        return self._door.source_time()

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        mapped = self._mapping.objects[name]
        self._schema.require(name, mapped.fields)
        start = look_back(since, mapped.look_back_s, LOOK_BACK_S)
        stamp = mapped.modified.path if mapped.modified else ""
        position = Position(start) if start and stamp else None
        while True:
            soql = _select(mapped, mapped.fields, stamp, position)
            records, ended = self._page(name, soql)
            if not records:
                return
            position = self._advanced(name, position, _position(mapped, records[-1]))
            yield Page(records, position if stamp else None)
            if ended:
                return

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        """The keys of what lies in the recycle bin, then those of getDeleted, which also knows emptied bins."""
        yield from self._recycled(name, since)
        if since is None or not self._schema.replicates(name):
            return
        now = self.source_time()
        start = max(since - timedelta(seconds=LOOK_BACK_S), now - REACH + LEAST_WINDOW)
        earliest = yield from self._deleted(name, start, now + timedelta(minutes=1))
        known_from = max(start, earliest or start)
        if known_from > since:
            raise CursorLost(f"{self._config.system} no longer knows what was deleted of {name} before {known_from}.")

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        mapped = self._mapping.objects[name]
        last = ""
        while True:
            records, ended = self._page(name, _select(mapped, mapped.census_fields, "", Position(id=last)))
            if records:
                yield records
                last = self._advanced(name, Position(id=last), Position(id=_key(mapped, records[-1]))).id
            if ended or not records:
                return

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        raise NotImplementedError

    def fields(self, name: str) -> Sequence[SourceField]:
        raise NotImplementedError

    def count(self, name: str) -> int | None:
        raise NotImplementedError

    def limits(self) -> Sequence[Limit]:
        raise NotImplementedError

    def close(self) -> None:
        self._session.close()

    def _page(self, name: str, soql: str, *, deleted: bool = False) -> tuple[Sequence[Record], bool]:
        """The records, and whether they are the last: a reply may hold fewer than asked for without being it."""
        ended = False

        def read() -> Sequence[Record]:
            nonlocal ended
            reply = self._call(lambda client: client.query(soql, include_deleted=deleted, headers=dict(_HEADERS)))
            records: list[Record] = reply["records"]
            ended = reply["done"] and len(records) < PAGE
            return records

        return telemetry.page(self._config.system, name, read), ended

    def _recycled(self, name: str, since: datetime | None) -> Iterator[str]:
        mapped = self._mapping.objects[name]
        if not self._schema.has(name, "IsDeleted") or not mapped.modified:
            return
        stamp, key = mapped.modified.path, mapped.key[0].path
        position = Position(since - timedelta(seconds=LOOK_BACK_S)) if since else None
        while True:
            soql = _soql((key, stamp), name, ("IsDeleted = true",), stamp, key, position)
            records, ended = self._page(name, soql, deleted=True)
            yield from (str(record[key]) for record in records)
            if ended or not records:
                return
            position = self._advanced(name, position, _position(mapped, records[-1]))

    def _deleted(self, name: str, start: datetime, end: datetime) -> Generator[str, None, datetime | None]:
        """getDeleted, in halves where one window holds too many. Returns the earliest moment that is covered."""
        try:
            reply = self._call(lambda client: getattr(client, name).deleted(start, end))
        except IdLimitExceeded:
            if end - start < 2 * LEAST_WINDOW:
                raise
            middle = start + (end - start) / 2
            earliest = yield from self._deleted(name, start, middle)
            yield from self._deleted(name, middle - LEAST_WINDOW, end)
            return earliest
        yield from (str(entry["id"]) for entry in reply["deletedRecords"])
        return _instant(reply["earliestDateAvailable"]) if reply.get("earliestDateAvailable") else None

    def _describe(self, name: str) -> Any:
        return self._call(lambda client: getattr(client, name).describe())

    def _call(self, work: Callable[[Client], R]) -> R:
        return self._config.retries.call(lambda: self._once(work), self._config.system)

    def _once(self, work: Callable[[Client], R]) -> R:
        """Run a call; when the session has ended, log in again and run it once more."""
        try:
            return self._run(work)
        except SessionEnded:
            self._client = None
        try:
            return self._run(work)
        except SessionEnded as error:
            raise LoginRefused(f"{self._config.system} refuses a new session as well. {error}") from error

    def _run(self, work: Callable[[Client], R]) -> R:
        if self._client is None:
            self._client = self._login()
        try:
            return work(self._client)
        except ValueError as error:
            raise TransientError(f"{self._config.system} sent a reply that is not JSON, or not all of it.") from error

    def _login(self) -> Client:
        try:
            # The domain is never asked: the door sends every call to the configured base URL.
            return Client(
                consumer_key=self._config.consumer_key,
                consumer_secret=self._config.consumer_secret,
                domain="my-domain.my",
                version=self._config.api_version,
                session=self._session,
                parse_float=str,
                object_pairs_hook=None,
            )
        except (SalesforceError, ValueError, TypeError, AttributeError):
            # Not chained: the library's message quotes the whole reply, which may hold a token.
            raise TransientError(f"{self._config.system} answered the login with something unreadable.") from None

    def _advanced(self, name: str, before: Position | None, after: Position) -> Position:
        if before is not None and (before.stamp, before.id) == (after.stamp, after.id):
            raise PermanentError(f"{self._config.system} did not advance past {after.id} of {name}: a page came twice.")
        return after


def _select(mapped: ObjectMapping, fields: Sequence[str], stamp: str, position: Position | None) -> str:
    conditions = (f"({mapped.filter})",) if mapped.filter else ()
    return _soql(fields, mapped.name, conditions, stamp, mapped.key[0].path, position)


def _soql(
    fields: Sequence[str], name: str, conditions: Sequence[str], stamp: str, key: str, position: Position | None
) -> str:
    """One page of an object: by (stamp, key) after the position, or by key alone where `stamp` is empty."""
    after = list(conditions)
    if position and stamp and position.stamp:
        at = f"{position.stamp.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{position.stamp.microsecond // 1000:03d}Z"
        if position.id:
            after.append(f"(({stamp} = {at} AND {key} > '{position.id}') OR {stamp} > {at})")
        else:
            after.append(f"{stamp} >= {at}")
    elif position and position.id:
        after.append(f"{key} > '{position.id}'")
    where = f" WHERE {' AND '.join(after)}" if after else ""
    order = f"{stamp}, {key}" if stamp else key
    return f"SELECT {', '.join(fields)} FROM {name}{where} ORDER BY {order} LIMIT {PAGE}"


def _position(mapped: ObjectMapping, record: Record) -> Position:
    stamp = _instant(str(record[mapped.modified.path])) if mapped.modified else None
    return Position(stamp, _key(mapped, record))


def _key(mapped: ObjectMapping, record: Record) -> str:
    return str(record[mapped.key[0].path])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
