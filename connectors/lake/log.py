"""The transaction log of a Delta table, as far as it tells what changed between two versions.

The format is that of the Delta protocol: one file of JSON actions per version under `_delta_log`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from connectors.errors import CursorLost, TransientError
from connectors.object_store import Folder


@dataclass(frozen=True)
class Commit:
    """One version. `added` and `removed` are the files whose rows it changed; those that a compaction only moved are
    not among them. `tells_rows`: it also says row by row what changed (change data feed). `at`: when, by its writer.
    """

    version: int
    at: datetime
    added: frozenset[str]
    removed: frozenset[str]
    tells_rows: bool

    @property
    def changes_rows(self) -> bool:
        return self.tells_rows or bool(self.added or self.removed)


def read_commit(folder: Folder, version: int) -> Commit:
    """One version's commit. Raises CursorLost where the log does not keep it any more."""
    path = f"_delta_log/{version:020}.json"
    found = folder.find(path)
    if found is None:
        raise CursorLost(f"{folder.system}: the table's log does not reach back to version {version} any more.")
    with folder.translated(f"the file {path}"), folder.open(path) as file:
        text = file.read()
    try:
        actions = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise TransientError(f"{folder.system}: the file {path} is not whole yet.") from error
    return _commit(version, actions, found.changed_ns)


def _commit(version: int, actions: list[Mapping[str, Any]], changed_ns: int) -> Commit:
    said: Mapping[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    stamp_ms = said.get("inCommitTimestamp") or said.get("timestamp") or changed_ns // 1_000_000
    return Commit(
        version,
        datetime.fromtimestamp(stamp_ms / 1000, UTC),
        _files(actions, "add"),
        _files(actions, "remove"),
        any("cdc" in action for action in actions),
    )


def _files(actions: list[Mapping[str, Any]], kind: str) -> frozenset[str]:
    entries = (action[kind] for action in actions if kind in action)
    return frozenset(unquote(entry["path"]) for entry in entries if entry.get("dataChange", True))
