"""The promise of the catalogue: what is planted is found, to the cent, and what only looks like it is not."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from checks.catalogue import CATALOGUE
from gateway.cli.app import app
from gateway.demo.scoring import Asked, scored

pytestmark = pytest.mark.timeout(900)
# Ten seeds take a quarter of an hour; an ordinary run takes those that were never looked at while the checks were made.
FRESH = tuple(map(int, os.environ.get("TIEOUT_SEEDS", "4711").split(",")))
# It reads no rows.
NOT_PLANTED = {"source_stale"}
ENOUGH = 600  # accounts, so that every story is told


@pytest.mark.parametrize("seed", FRESH)
def test_everything_planted_is_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    found = scored(Asked(seed, ENOUGH), tmp_path)
    assert not found.unjudged
    assert found.total.missed == ()
    assert found.total.precision >= Decimal("0.99"), found.total.false_alarms
    assert [alarm for alarm in found.total.false_alarms if alarm["looks_like"]] == []
    assert found.total.money_error <= Decimal("0.01")
    assert {check for check, marks in found.checks.items() if not marks.planted} <= NOT_PLANTED


def test_the_clean_twin_has_no_finding(tmp_path: Path) -> None:
    found = scored(Asked(7, 600, clean=True), tmp_path)
    assert (found.unjudged, found.total.findings) == ({}, 0), found.total.false_alarms


def test_the_document_says_it_per_check() -> None:
    asked = ["score", "--json", "--check", "--only", "cash_unapplied", "--only", "contract_terms_vs_billing"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["total"]["recall"] == document["total"]["precision"] == 1.0
    assert set(document["checks"]) == {"cash_unapplied", "contract_terms_vs_billing"}
    assert document["checks"]["cash_unapplied"]["family"] == CATALOGUE["cash_unapplied"].pattern
    assert document["checks"]["cash_unapplied"]["planted"] > 0
