"""A source that lives in this process: a connector over dictionaries, and an installation that reads it.

It keeps the contract of `connectors/contract.py`, and can be told to break it in the ways that sources do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from books.engine import Engine
from connectors.contract import Connector, Limit, Page, Position, Record, SourceField
from connectors.errors import ConnectorError, PermanentError, SchemaChanged, TransientError
from connectors.mapping import Mapping as SourceMapping
from gateway.config import parse
from gateway.db.session import Database
from gateway.installation import Installation
from gateway.sync.cycle import CycleReport
from gateway.sync.run import sync_now

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
PAGE = 2
FIELDS = {
    "Customer": {"Id": "id", "Name": "string", "Stamp": "datetime"},
    "Bill": {"Id": "id", "Number": "string", "Customer": "reference", "Total": "currency", "Kind": "picklist"}
    | {"Stamp": "datetime"},
    "Note": {"Id": "id", "Number": "string", "Stamp": "datetime"},
}
MAPPING = """
connector: salesforce
objects:
  Customer:
    key: Id
    modified: Stamp
    targets:
      - {entity: accounts, account: Id, columns: {name: Name}}
  Bill:
    key: Id
    modified: Stamp
    targets:
      - entity: invoices
        account: Customer
        where: {Kind: [Invoice, Draft]}
        columns:
          number: Number
          total: Total
          status: {from: Kind, as: choice, values: {Invoice: posted, Draft: draft}}
      - entity: credit_memos
        account: Customer
        where: {Kind: Credit}
        columns: {number: Number, amount: Total}
  Note:
    key: Id
    modified: Stamp
    targets:
      - {entity: credit_memos, columns: {number: Number}}
"""


@dataclass
class Memory:
    """The system itself. `down` and `refused` are what every request is answered with."""

    now: datetime = NOW
    ahead: timedelta = timedelta(0)
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {name: {} for name in FIELDS})
    deleted: list[tuple[datetime, str, str]] = field(default_factory=list)
    described: dict[str, list[SourceField]] = field(default_factory=dict)
    down: ConnectorError | None = None
    refused: dict[str, ConnectorError] = field(default_factory=dict)
    lost_by_paging: set[str] = field(default_factory=set)
    fetches: bool = True
    used: tuple[Limit, ...] = ()
    asked: list[str] = field(default_factory=list)

    def put(self, name: str, key: str, **values: Any) -> None:
        self.records[name][key] = {"Id": key, "Stamp": self.now.isoformat(), **values}

    def remove(self, name: str, key: str, *, listed: bool = True) -> None:
        del self.records[name][key]
        if listed:
            self.deleted.append((self.now, name, key))

    def describe(self, name: str, **types: str) -> None:
        self.described[name] = [SourceField(field, kind) for field, kind in types.items()]

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class MemoryConnector:
    """Reads a Memory, a few records to a page."""

    def __init__(self, memory: Memory, mapping: SourceMapping) -> None:
        self._memory = memory
        self._mapping = mapping

    def source_time(self) -> datetime:
        self._ask("source_time")
        return self._memory.now + self._memory.ahead

    def changes(self, name: str, since: Position | None) -> Iterator[Page]:
        self._ask("changes", name)
        after = (since.stamp.isoformat(), since.id) if since and since.stamp else ("", "")
        held = sorted(self._memory.records[name].values(), key=lambda record: (record["Stamp"], record["Id"]))
        found = [record for record in held if (record["Stamp"], record["Id"]) > after]
        for start in range(0, len(found), PAGE):
            page = found[start : start + PAGE]
            last = page[-1]
            yield Page(page, Position(datetime.fromisoformat(last["Stamp"]), last["Id"]))

    def deletions(self, name: str, since: datetime | None) -> Iterator[str]:
        self._ask("deletions", name)
        return (key for at, of, key in self._memory.deleted if of == name and (since is None or at >= since))

    def census(self, name: str) -> Iterator[Sequence[Record]]:
        self._ask("census", name)
        fields = self._mapping.objects[name].census_fields
        for record in self._memory.records[name].values():
            if record["Id"] not in self._memory.lost_by_paging:
                yield [{field: record.get(field) for field in fields}]

    def fetch(self, name: str, keys: Sequence[str]) -> Iterator[Sequence[Record]]:
        self._ask("fetch", name)
        if not self._memory.fetches:
            raise PermanentError(f"{name} cannot be asked for single records.")
        held = self._memory.records[name]
        for key in keys:
            if key in held:
                yield [held[key]]

    def fields(self, name: str) -> Sequence[SourceField]:
        self._ask("fields", name)
        return self._memory.described.get(name, ())

    def count(self, name: str) -> int | None:
        self._ask("count", name)
        return len(self._memory.records[name])

    def limits(self) -> Sequence[Limit]:
        self._ask("limits")
        return self._memory.used

    def close(self) -> None:
        """It holds nothing open."""

    def _ask(self, what: str, name: str = "") -> None:
        memory = self._memory
        memory.asked.append(f"{what} {name}".strip())
        of_description = memory.refused.get(f"describing {name}") if what == "fields" else None
        error = memory.down or memory.refused.get(name) or of_description
        if error is not None:
            raise error


class MemoryInstallation(Installation):
    """An installation whose only source is a Memory."""

    def __init__(self, folder: Path, database: Database, memory: Memory, **said: Any) -> None:
        (folder / "mem.yaml").write_text(MAPPING, encoding="utf-8")
        source = {"connector": "salesforce", "roles": ["crm", "billing"], "mapping": "mem.yaml", **said}
        super().__init__(parse({"sources": {"mem": source}, "books": "books"}, folder), lambda: memory.now)
        self.database = database
        self.memory = memory

    def connector(self, name: str) -> Connector:
        return MemoryConnector(self.memory, self.mappings[name])

    def sync(self, **how: Any) -> CycleReport:
        return sync_now(self, **how)

    def rows(self, entity: str, *, deleted: bool = False) -> Mapping[str, dict[str, Any]]:
        """Published rows by key: the live ones, or the tombstones."""
        snapshot = self.ledger.latest()
        assert snapshot is not None, "nothing was published"
        with Engine.over(self.store, snapshot) as engine:
            rows = engine.rows(f'SELECT * FROM "{entity}"')
        return {row["key"]: row for row in rows if row["deleted"] is deleted}

    def watermark(self, entity: str) -> datetime | None:
        snapshot = self.ledger.latest()
        assert snapshot is not None, "nothing was published"
        return snapshot.readings["mem", entity].watermark


def filled() -> Memory:
    """Three customers and five bills, of which one is a credit."""
    memory = Memory()
    for n in range(3):
        memory.put("Customer", f"C{n}", Name=f"Customer {n}")
    for n in range(5):
        kind = "Credit" if n == 4 else "Invoice"
        memory.put("Bill", f"B{n}", Number=f"INV-{n}", Customer="C0", Total=f"{n}00.00", Kind=kind)
    for name, types in FIELDS.items():
        memory.describe(name, **types)
    return memory


def is_down() -> TransientError:
    return TransientError("mem: the system gave no answer.")


def is_hidden(name: str) -> SchemaChanged:
    return SchemaChanged(f"mem does not show {name}.")
