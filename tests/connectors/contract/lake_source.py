"""A lakehouse in a folder, for the contract test: a Delta table with a change data feed, one without, and a folder of
Parquet files. Record n is in the table n modulo 3."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from sandbox.faults import Faults
from tests.connectors.contract.source import Place, Said

MAPPING = """
connector: lake
objects:
  customers:
    table: customers
    key: id
    targets:
      - entity: accounts
        columns: {name: text}
  products:
    table: products
    key: id
    modified: at
    targets:
      - entity: products
        columns: {name: text}
  opportunities:
    table: opportunities
    format: parquet
    key: id
    modified: at
    targets:
      - entity: opportunities
        columns: {name: text}
"""
SCHEMA = pa.schema({"id": pa.string(), "text": pa.string(), "at": pa.timestamp("us", "UTC"), "unmapped": pa.string()})
TABLES = ("customers", "products", "opportunities")
ENTITIES = ("accounts", "products", "opportunities")


class LakeSource:
    """A `ContractSource`. A lake has no socket, so nothing ever strikes from `faults`."""

    kind = "lake"
    mapping = MAPPING

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.faults = Faults()
        self._clock = clock
        self._held: dict[int, str] = {}
        self._folder = TemporaryDirectory(prefix="tieout-lake-")
        self._root = Path(self._folder.name)
        for name, feed in (("customers", "true"), ("products", "false")):
            empty = SCHEMA.empty_table()
            write_deltalake(self._path(name), empty, configuration={"delta.enableChangeDataFeed": feed})
            self._restamp(name)
        Path(self._path("opportunities")).mkdir()
        # Without it, a folder from which every record was removed could not be told from one that is gone.
        self._write_file("schema", SCHEMA.empty_table())

    def settings(self) -> Mapping[str, Any]:
        return {"root": str(self._root), "page_rows": 3}

    def secrets(self) -> Mapping[str, str]:
        return {}

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        self._held[number] = text
        row = {"id": str(number), "text": text, "at": self._clock() - late, "unmapped": "x"}
        table = pa.Table.from_pylist([row], SCHEMA)
        name = TABLES[number % 3]
        if name == "opportunities":
            self._write_file(str(number), table)
            return
        merger = self._delta(name).merge(table, "t.id = s.id", source_alias="s", target_alias="t")
        merger.when_matched_update_all().when_not_matched_insert_all().execute()
        self._restamp(name)

    def remove(self, number: int) -> None:
        self._held.pop(number, None)
        name = TABLES[number % 3]
        if name == "opportunities":
            Path(self._path(name), f"{number}.parquet").unlink(missing_ok=True)
            return
        self._delta(name).delete(f"id = '{number}'")
        self._restamp(name)

    def purge(self, number: int) -> None:
        """The same: a lake keeps no list but its log."""
        self.remove(number)

    def truth(self) -> Mapping[Place, Said]:
        return {(ENTITIES[number % 3], str(number)): {"name": text} for number, text in self._held.items()}

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        return {
            "vacuumed": self._vacuum,
            "compacted": self._compact,
            "log cleaned": self._clean_log,
            "uncommitted file": self._leave_half_a_file,
        }

    def over_limit(self) -> int:
        return 0

    def close(self) -> None:
        self._folder.cleanup()

    def _vacuum(self) -> None:
        for name in TABLES[:2]:
            self._delta(name).vacuum(0, dry_run=False, enforce_retention_duration=False)
            self._restamp(name)

    def _compact(self) -> None:
        for name in TABLES[:2]:
            self._delta(name).optimize.compact()
            self._restamp(name)

    def _clean_log(self) -> None:
        """What a log retention of no time at all would do: only the checkpoint of the newest version is left."""
        for name in TABLES[:2]:
            table = self._delta(name)
            table.create_checkpoint()
            for path in Path(self._path(name), "_delta_log").glob("*.json"):
                if int(path.stem) < table.version():
                    path.unlink()

    def _leave_half_a_file(self) -> None:
        for name in TABLES:
            half = Path(self._path(name), "_temporary" if name == "opportunities" else "", "half.parquet")
            half.parent.mkdir(exist_ok=True)
            half.write_bytes(b"PAR1 and no more")

    def _write_file(self, name: str, table: pa.Table) -> None:
        folder = Path(self._path("opportunities"))
        draft = folder / f"_{uuid4().hex}"
        pq.write_table(table, draft)
        draft.replace(folder / f"{name}.parquet")

    def _delta(self, name: str) -> DeltaTable:
        return DeltaTable(self._path(name))

    def _restamp(self, name: str) -> None:
        """Give the newest commit the time of the test's clock: the library writes that of the machine."""
        path = Path(self._path(name), "_delta_log", f"{self._delta(name).version():020}.json")
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        for action in actions:
            if "commitInfo" in action:
                action["commitInfo"]["timestamp"] = int(self._clock().timestamp() * 1000)
        path.write_text("".join(json.dumps(action) + "\n" for action in actions))

    def _path(self, name: str) -> str:
        return str(self._root / name)
