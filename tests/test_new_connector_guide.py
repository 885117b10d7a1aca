"""The guide for a new connector names what is there, and all of it."""

import inspect
import re
from pathlib import Path

import pytest

from connectors.contract import Connector
from connectors.kind import Kind
from tests.connectors.contract.source import ContractSource, Restrictable

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "new-connector.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:connectors|sandbox|tests|docs|gateway)/[^`*]+)`", GUIDE)))


def members(of: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(of) if not name.startswith("_")}


def first_cells(heading: str) -> set[str]:
    """The names in the first column of the table below a heading."""
    section = GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("path", [path for path in PATHS if "<kind>" not in path])
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", [path for path in PATHS if "<kind>" in path])
def test_every_path_of_a_kind_exists_for_one(path: str) -> None:
    assert (ROOT / path.replace("<kind>", "zuora")).exists()


def test_the_contract_is_told_in_full() -> None:
    assert first_cells("The contract") == members(Connector)


def test_the_contract_source_is_told_in_full() -> None:
    assert first_cells("The contract source") == members(ContractSource)
    assert all(f"`{name}`" in GUIDE for name in members(Restrictable))


@pytest.mark.parametrize("name", ["open_runs", "webhook"])
def test_what_a_kind_may_have_is_spelled_so(name: str) -> None:
    assert f"`{name}`" in GUIDE
    assert name in Kind.__dataclass_fields__


@pytest.mark.parametrize("name", re.findall(r"`(\w+Error|SchemaChanged|LoginRefused|CursorLost)`", GUIDE))
def test_every_error_is_one_of_ours(name: str) -> None:
    assert hasattr(__import__("connectors.errors", fromlist=[name]), name)


def test_all_traps_are_numbered() -> None:
    assert [int(number) for number in re.findall(r"^\| (\d+) [A-Z`]", GUIDE, re.MULTILINE)] == list(range(1, 19))
