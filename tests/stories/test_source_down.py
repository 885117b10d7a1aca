"""A billing platform that stays down for hours: one case for IT, and nobody else's case moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from checks.contract import Outcome
from gateway.config import parse
from gateway.db.session import Database
from gateway.demo.world import World
from gateway.exceptions.tables import Case
from gateway.installation import Installation
from gateway.sweep import sweep
from gateway.sync.run import sync_now

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Iterator[World]:
    with World(tmp_path / "world", seed=7, accounts=200, public_url="http://127.0.0.1:1") as world:
        said = yaml.safe_load((world.folder / "tieout.yaml").read_text(encoding="utf-8"))
        said["sources"]["zuora"]["settings"]["retries"] = {"attempts": 1}
        world.installed = Installation(parse(said, world.folder), world.clock)
        world.installed.database = database
        yield world


def cases(world: World) -> dict[str, tuple[str, str]]:
    """State and number of every case, by fingerprint, those about the outage left out."""
    with world.installed.database.session() as session:
        chosen = select(Case).where(Case.check_id != "source_stale")
        return {case.fingerprint: (case.state, str(case.number)) for case in session.scalars(chosen)}


def about_the_outage(world: World) -> list[tuple[str, str, str]]:
    with world.installed.database.session() as session:
        chosen = select(Case).where(Case.check_id == "source_stale")
        return [(case.state, case.business_team, case.record_system) for case in session.scalars(chosen)]


def test_hours_without_billing_open_one_case_and_close_none(world: World) -> None:
    assert not any(found.failures for found in sync_now(world.installed).sources.values())
    sweep(world.installed, world.clock())
    before = cases(world)
    assert before
    assert about_the_outage(world) == []

    world.zuora.stop()
    for _ in range(3):
        report = sync_now(world.installed, names=["zuora", "salesforce"])
        assert set(report.sources["zuora"].failures) == set(world.installed.mappings["zuora"].walked)
        swept = sweep(world.installed, world.clock())
        outcomes = {evaluation.check.id: evaluation.outcome for evaluation in swept.evaluations}
        assert outcomes["missing_expected_invoice"] is Outcome.NOT_EVALUATED
        assert cases(world) == before
        assert about_the_outage(world) == [("open", "it", "zuora")]

    world.zuora.start()
    sync_now(world.installed)
    sweep(world.installed, world.clock())
    assert cases(world) == before
