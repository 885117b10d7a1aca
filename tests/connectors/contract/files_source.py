"""A folder of files for the contract test: usage has the even numbers, seats the odd ones; every `put` is a file."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.faults import Faults
from tests.connectors.contract.source import Place, Said

FOLDERS = ("usage", "seats")
ENTITIES = ("usage_events", "entitlements")
COLUMNS = ("subject", "measure")


class FilesSource:
    """A ContractSource. Files bring only news: what was said once holds until another file says something else."""

    kind = "files"
    mapping = """
connector: files
objects:
  usage:
    pattern: usage/*.jsonl
    key: id
    modified: at
    targets:
      - {entity: usage_events, columns: {subject: text}}
  seats:
    pattern: seats/*.csv
    key: id
    modified: at
    targets:
      - {entity: entitlements, columns: {measure: text}}
"""

    def __init__(self, clock: Callable[[], datetime], folder: Path) -> None:
        self._clock = clock
        self._folder = folder
        self._count = 0
        self._said: dict[int, Said] = {}
        self.faults = Faults()
        for name in FOLDERS:
            (folder / name).mkdir(parents=True)

    def settings(self) -> Mapping[str, Any]:
        return {"folder": str(self._folder)}

    def secrets(self) -> Mapping[str, str]:
        return {}

    def put(self, number: int, text: str, late: timedelta = timedelta(0)) -> None:
        """One file with one record. It is new now; only the record's own stamp may be old."""
        stamp = (self._clock() - late).astimezone(UTC)
        row = {"id": f"r{number}", "text": text, "at": stamp.isoformat()}
        self._count += 1
        if number % 2:
            cells = ",".join('"' + cell.replace('"', '""') + '"' for cell in row.values())
            self._write(f"seats/{self._count:06}.csv", f"id,text,at\n{cells}\n")
        else:
            self._write(f"usage/{self._count:06}.jsonl", json.dumps(row) + "\n")
        self._said[number] = {COLUMNS[number % 2]: text, "modified_at": stamp}

    def remove(self, number: int) -> None:
        """The file may go; what it said still holds."""

    def purge(self, number: int) -> None:
        self.remove(number)

    def truth(self) -> Mapping[Place, Said]:
        return {(ENTITIES[number % 2], f"r{number}"): said for number, said in self._said.items()}

    def mishaps(self) -> Mapping[str, Callable[[], None]]:
        return {
            "a file under its temporary name": partial(self._write, "usage/next.jsonl.part", '{"id": "r0", "te'),
            "a file whose end is missing": partial(self._write, "usage/broken.jsonl", '{"id": "r0", "te'),
            "an empty file": partial(self._write, "usage/empty.jsonl", ""),
        }

    def over_limit(self) -> int:
        return 0

    @contextmanager
    def hidden_field(self) -> Iterator[None]:
        path = self._folder / "seats/other.csv"
        self._write("seats/other.csv", "id,at\nr1,2026-12-01T00:00:00Z\n")
        yield
        path.unlink()

    @contextmanager
    def lost_permission(self) -> Iterator[None]:
        away = self._folder.rename(self._folder.with_name("away"))
        yield
        away.rename(self._folder)

    def close(self) -> None:
        """Nothing runs."""

    def _write(self, name: str, text: str) -> None:
        """A file that nobody is writing to any more."""
        path = self._folder / name
        path.write_text(text, encoding="utf-8", newline="")
        left = (self._clock() - timedelta(minutes=1)).timestamp()
        os.utime(path, (left, left))
