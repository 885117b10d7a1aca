"""What was compiled is found again by another process, and never stands in for what is made from something else."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from books.dialects import SPARK
from books.reading import Books
from checks.catalogue import CATALOGUE
from checks.contract import Check
from checks.rule import Compiled
from checks.ruleset import Override, Ruleset
from checks.system_of_record import Change, in_force
from gateway.compiled import CompiledFolder
from tests.checks.kit import EVERYTHING, books

CHECK = CATALOGUE["revenue_schedule_missing"]
ROOT = Path(__file__).parents[2]


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


def test_whatever_else_it_is_made_from_has_a_file_of_its_own(tmp_path: Path) -> None:
    shelf = CompiledFolder(tmp_path)
    compiled(tmp_path)
    compiled(tmp_path, override=Override(settings={"close_days": 8}))
    compiled(tmp_path, CATALOGUE["duplicate_invoice_line"])
    elsewhere = Books({**books().roles, "erp": ("netsuite",)}, {**books().mapped, "netsuite": EVERYTHING})
    of_netsuite = Ruleset([CHECK], elsewhere, shelf=shelf).rules[CHECK.id]
    assert "netsuite" in of_netsuite.compiled.sql
    assert of_netsuite.compiled_for(SPARK) != of_netsuite.compiled
    terms = in_force({"payment_terms": Change(right="crm")})
    Ruleset([CHECK], books(), attributes=terms, shelf=shelf).prepare([CHECK.id])
    assert len(kept(tmp_path)) == 6


COMPILES = f"""
from pathlib import Path
from books.reading import Books
from checks.catalogue import CATALOGUE
from checks.ruleset import Ruleset
from gateway.compiled import CompiledFolder
{{first}}
shelf = CompiledFolder(Path("kept").resolve())
Ruleset([CATALOGUE[{CHECK.id!r}]], Books({{{{}}}}, {{{{}}}}), shelf=shelf).prepare([{CHECK.id!r}])
"""
CHANGES = "Path('checks/rows.py').write_text(Path('checks/rows.py').read_text() + '# one line more\\n')"


def by_a_copy(folder: Path, first: str = "") -> list[Path]:
    """What a copy of the product keeps that compiles a check in a process of its own."""
    for package in ("books", "checks", "gateway"):
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=without, dirs_exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-c", COMPILES.format(first=first)], cwd=folder, check=True, env=environment)
    return kept(folder / "kept")


def test_other_code_has_a_folder_of_its_own(tmp_path: Path) -> None:
    (first,) = by_a_copy(tmp_path)
    (tmp_path / "checks" / "one_more.py").write_text("")
    assert {file.parent for file in by_a_copy(tmp_path)} > {first.parent}


def test_what_was_imported_before_the_code_changed_is_not_kept(tmp_path: Path) -> None:
    assert by_a_copy(tmp_path, CHANGES) == []


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
