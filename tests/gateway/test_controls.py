"""The control matrix of an installation: every pattern in every role, the empty cells too."""

import csv
import io
import json
from itertools import product
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from books.reading import ROLES
from checks.contract import Pattern
from gateway.cli.app import app
from gateway.config import load
from gateway.controls import Line, Matrix, matrix, state
from gateway.installation import Installation
from tests.gateway.user_checks.test_user_checks import sql

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped tieout.yaml with one check more."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "no_due_date.sql").write_text(sql(), encoding="utf-8")
    said = yaml.safe_load((ROOT / "tieout.yaml").read_text(encoding="utf-8"))
    file = tmp_path / "tieout.yaml"
    file.write_text(yaml.safe_dump({**said, "user_checks": "own", "owners": str(ROOT / "owners.yaml")}))
    return file


@pytest.fixture
def found(config: Path) -> Matrix:
    return matrix(Installation(load(config)))


def test_every_pattern_stands_in_every_role_and_an_empty_cell_says_so(found: Matrix) -> None:
    lines = list(found.lines())
    assert {(line.pattern, line.role) for line in lines} == set(product(Pattern, ROLES))
    empty = [line for line in lines if line.control is None]
    assert (Pattern.DRAFT_INTEGRITY, "shipping") in {(line.pattern, line.role) for line in empty}
    assert all(not found.of(line.pattern, line.role) for line in empty)
    assert len(lines) == len(empty) + sum(len(control.roles) for control in found.controls)


def test_what_is_never_asked_and_what_does_not_act_is_told_apart(found: Matrix) -> None:
    said = {control.check.id: state(control) for control in found.controls}
    assert said["duplicate_invoice_line"] == "covered"
    assert said["shipped_not_billed"] == "not applicable", "the shipped file names no source of shipments"
    assert said["no_due_date"] == "in shadow"
    (stale,) = (control for control in found.controls if control.check.id == "source_stale")
    assert set(stale.roles) == {role for role, systems in found.systems.items() if systems}


def test_a_need_that_may_be_missing_covers_nothing_where_it_is(found: Matrix) -> None:
    (seats,) = (control for control in found.controls if control.check.id == "closed_won_not_in_billing")
    assert seats.roles == ("crm", "billing")


def test_the_command_prints_it_and_exports_every_line(config: Path, found: Matrix) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["controls", *words, "--config", str(config)])
        assert done.exit_code == 0, done.output
        return done.output

    exported = json.loads(run("--json"))
    assert list(csv.DictReader(io.StringIO(run("--csv")))) == exported
    assert len(exported) == len(list(found.lines()))
    assert all(tuple(line) == Line.HEADINGS for line in exported)
    said = run()
    assert "no_due_date: billing; finance-ops / billing-ops; S3, shadow" in said
    assert "Duplicates" in said
