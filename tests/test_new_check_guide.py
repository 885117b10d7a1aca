"""The guide for a new check, followed to the letter: what it says to write is written, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.user_checks.folder import read
from tests.checks.kit import Ledger, books, clean, only

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "new-check.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/]+\.(?:py|sql))`:\n\n```(?:python|sql)\n(.*?)```", GUIDE, re.MULTILINE | re.DOTALL))
ID = "due_before_invoice_date"
ARGUMENTS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", f"{ID} or every_check_is_broken")
ALL = ("tests/checks/test_catalogue.py", f"tests/checks/draft_integrity/test_{ID}.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository, its checks and their tests copied, the rest linked."""
    for path in ROOT.iterdir():
        if path.name in ("books", "gateway", "connectors", "alerts", "owners.yaml", "sandbox"):
            (tmp_path / path.name).symlink_to(path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "checks", tmp_path / "checks")
    shutil.copytree(ROOT / "tests" / "checks", tmp_path / "tests" / "checks")
    return tmp_path


def added_to_the_catalogue(text: str) -> str:
    """The two lines of the guide, in their places."""
    imported, entry = re.findall(r"^\+(.*)$", GUIDE, re.MULTILINE)
    first = text.index("from checks.")
    text = f"{text[:first]}{imported}\n{text[first:]}"
    last = text.rindex(".CHECK,\n") + len(".CHECK,\n")
    return f"{text[:last]}{entry}\n{text[last:]}"


def test_a_module_a_line_and_a_test_are_enough(copy: Path) -> None:
    modules = {name: text for name, text in FILES.items() if "/" in name}
    assert [name.partition("/")[0] for name in modules] == ["checks", "tests"]
    for name, text in modules.items():
        (copy / name).write_text(text, encoding="utf-8")
    catalogue = copy / "checks" / "catalogue.py"
    catalogue.write_text(added_to_the_catalogue(catalogue.read_text(encoding="utf-8")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *ARGUMENTS, *ALL],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 9, "its own two, and those of the whole catalogue"


def undated() -> Ledger:
    small = {"total": Decimal(99), "due_date": None}
    ledger = clean().invoice("INV-A", date(2026, 11, 3), due_date=None, total=Decimal(120))
    return ledger.invoice("INV-B", date(2026, 11, 3), **small)


@pytest.mark.parametrize("name", ["invoice_without_due_date.sql", f"{ID}.py"])
def test_a_check_of_ones_own_is_a_file(tmp_path: Path, name: str) -> None:
    text = FILES.get(name) or FILES[f"checks/draft_integrity/{name}"]
    (tmp_path / name).write_text(text, encoding="utf-8")
    (check,) = read(tmp_path, books(), ()).values()
    ledger = undated() if name.endswith(".sql") else clean().change("invoices", "INV11", due_date=date(2026, 10, 1))
    assert only(check, ledger).invoice_key == ("INV-A" if name.endswith(".sql") else "INV11")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:checks|books|tests|sandbox|docs)/[^`]*)`", GUIDE))))
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists() or path in FILES
