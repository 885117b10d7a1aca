"""`tieout check` with a check of one's own, as CI would ask it."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from gateway.cli.app import app
from gateway.db.session import Database
from gateway.exceptions.tables import Case
from tests.gateway.prebill.prebill_fixtures import Worlds
from tests.gateway.prebill.prebill_world import World, stored_invoice
from tests.gateway.user_checks.test_shadow import MANY

ROOT = Path(__file__).resolve().parents[3]
CONFIG = {
    "sources": {
        "zuora": {"connector": "zuora", "roles": ["billing"], "mapping": "zuora"},
        "salesforce": {"connector": "salesforce", "roles": ["crm"], "mapping": "salesforce_cpq"},
    },
    "user_checks": "own",
    "books": "books",
}


@pytest.fixture
def world(unpublished: Worlds, tmp_path: Path) -> World:
    """One stored invoice with a line of no quantity; the statement is told to find it, whatever the quantity is."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "many.sql").write_text(MANY.replace("l.quantity > :least", "l.amount < :least"))
    (tmp_path / "tieout.yaml").write_text(yaml.safe_dump(CONFIG))
    shutil.copy(ROOT / "owners.yaml", tmp_path / "owners.yaml")
    world = unpublished()
    world.now = datetime.now(UTC)
    world.publish(stored_invoice("INV-9"))
    return world


def run(world: World, database: Database, *arguments: str) -> Result:
    url = database.engine.url.render_as_string(hide_password=False)
    config = str(world.installed.config.path("tieout.yaml"))
    return CliRunner().invoke(app, ["check", *arguments], env={"TIEOUT_DATABASE_URL": url, "TIEOUT_CONFIG": config})


def test_one_check_is_asked_and_shown_and_nothing_is_done(world: World, database: Database) -> None:
    done = run(world, database, "--check", "many", "--dry-run", "--rows")
    assert done.exit_code == 1
    assert "0 findings, 0 new cases. 2 more of checks in shadow, which do not act." in done.output
    assert "zuora/invoice_lines/INV-9-L S3 timing" in done.output
    assert "expected = total = 100" in done.output
    assert "evidence: zuora/invoice_lines/INV-9-L" in done.output


def test_for_a_script_and_for_the_queue(world: World, database: Database) -> None:
    file = world.installed.config.path("tieout.yaml")
    file.write_text(yaml.safe_dump({**CONFIG, "checks": {"many": {"mode": "monitor"}}}))
    (said,) = json.loads(run(world, database, "--check", "many", "--dry-run", "--json").output)["checks"]
    assert (said["outcome"], said["mode"], [f["exception"] for f in said["findings"]]) == (
        "failed",
        "monitor",
        [None] * 2,
    )
    assert run(world, database, "--check", "many").exit_code == 1
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1, "both lines bill one thing"


def test_a_named_check_that_could_not_be_evaluated_has_not_passed(world: World, database: Database) -> None:
    done = run(world, database, "--check", "shipped_not_billed", "--dry-run")
    assert (done.exit_code, "not_applicable" in done.output) == (1, True)
