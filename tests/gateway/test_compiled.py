"""What was compiled is found again by another process, and never stands in for what is made from something else."""

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from checks.catalogue import CATALOGUE
from checks.contract import Check
from checks.rule import Compiled
from checks.ruleset import Override, Ruleset
from gateway.compiled import CompiledFolder
from tests.checks.kit import books

CHECK = CATALOGUE["revenue_schedule_missing"]


def compiled(folder: Path, check: Check = CHECK, override: Override = Override()) -> Compiled:  # noqa: B008
    return Ruleset([check], books(), {check.id: override}, shelf=CompiledFolder(folder)).rules[check.id].compiled


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_another_process_finds_it(tmp_path: Path) -> None:
    first = compiled(tmp_path / "one")
    (file,) = kept(tmp_path / "one")
    file.write_text(json.dumps({**json.loads(file.read_text()), "sql": "SELECT 'as another process made it'"}))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert compiled(tmp_path / "two") == replace(first, sql="SELECT 'as another process made it'")


def test_other_settings_and_other_code_have_files_of_their_own(tmp_path: Path) -> None:
    compiled(tmp_path)
    compiled(tmp_path, override=Override(settings={"close_days": 8}))
    compiled(tmp_path, CATALOGUE["duplicate_invoice_line"])
    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize("text", ["", "{", '{"sql": "SELECT 1"}'])
def test_what_cannot_be_read_is_made_again(tmp_path: Path, text: str) -> None:
    first = compiled(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    (file,) = kept(tmp_path / "two")
    file.write_text(text)
    assert compiled(tmp_path / "two") == first
    assert file.read_bytes() == kept(tmp_path / "one")[0].read_bytes()


def test_where_nothing_can_be_written_the_check_is_made_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert compiled(tmp_path / "file").sql


def test_what_code_of_other_days_made_goes(tmp_path: Path) -> None:
    for name, days in (("yesterday", 1), ("long_ago", 30)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - days * 86_400,) * 2)
    compiled(tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.name in ("yesterday", "long_ago")} == {"yesterday"}


def test_it_lies_where_a_users_caches_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert CompiledFolder.of_user() == CompiledFolder(Path("/somewhere/tieout/compiled"))
