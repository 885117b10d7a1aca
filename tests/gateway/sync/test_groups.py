"""Objects that fill an entity together: one that the source never had, and a login that is not tried for each."""

import json
from pathlib import Path

import pytest

from connectors.errors import LoginRefused, NotVisible
from gateway.cli.sync import shown
from gateway.db.session import Database
from tests.gateway.sync.memory import FIELDS, MAPPING, Memory, MemoryInstallation, filled

OPTIONAL = MAPPING.replace("  Note:\n", "  Note:\n    optional: true\n")


def opened(folder: Path, database: Database, memory: Memory, mapping: str = OPTIONAL) -> MemoryInstallation:
    """Notes are optional, and bills are credit memos as well."""
    installed = MemoryInstallation(folder, database, memory)
    (folder / "mem.yaml").write_text(mapping, encoding="utf-8")
    return installed


@pytest.fixture
def memory() -> Memory:
    memory = filled()
    del memory.described["Note"]
    memory.refused["Note"] = NotVisible("mem has no object Note.")
    return memory


def test_an_optional_object_that_never_was_harms_nobody_in_its_group(
    tmp_path: Path, database: Database, memory: Memory
) -> None:
    installed = opened(tmp_path, database, memory)
    for _ in range(2):
        report = installed.sync()
        assert report.sources["mem"].failures == {}
        assert '"absent": {"Note": "mem has no object Note."}' in json.dumps(shown(report))
        assert installed.watermark("credit_memos") == memory.now
        memory.forward(days=2)
    memory.remove("Bill", "B4", listed=False)
    assert installed.sync().sources["mem"].failures == {}
    assert set(installed.rows("credit_memos", deleted=True)) == {"B4"}, "the census does not wait for what is absent"


def test_an_optional_object_that_was_there_is_missed_in_its_group(
    tmp_path: Path, database: Database, memory: Memory
) -> None:
    hidden = memory.refused.pop("Note")
    memory.describe("Note", **FIELDS["Note"])
    memory.put("Note", "N1", Number="CM-1")
    opened(tmp_path, database, memory).sync()
    memory.refused["Note"] = hidden
    for mapping in (OPTIONAL, OPTIONAL.replace("columns: {number: Number}}", "columns: {memo_date: Stamp}}")):
        memory.forward(days=2)
        installed = opened(tmp_path, database, memory, mapping)
        assert set(installed.sync().sources["mem"].failures) == {"Note"}
        assert "N1" in installed.rows("credit_memos")


def test_a_refused_login_is_not_tried_for_each_object_of_a_group(tmp_path: Path, database: Database) -> None:
    memory = filled()
    installed = MemoryInstallation(tmp_path, database, memory)
    memory.refused["Bill"] = LoginRefused("mem refuses the login.")
    report = installed.sync().sources["mem"]
    assert report.failures == dict.fromkeys(["Bill", "Note"], "mem refuses the login.")
    assert "fields Note" not in memory.asked
