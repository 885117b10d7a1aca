"""`tieout validate`, as a shell script meets it: statuses 0, 1 and 2."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic import command
from typer.testing import CliRunner, Result

from checks.catalogue import CATALOGUE
from gateway.cli.app import app
from gateway.db.migrate import alembic_config
from gateway.db.session import Database
from gateway.errors import GatewayError
from tests.gateway.prebill.prebill_fixtures import Worlds
from tests.gateway.prebill.prebill_world import World, invoice, line, question

ROOT = Path(__file__).resolve().parents[3]
# The shipped checks stay silent: here it matters how an answer leaves the command, not what it says.
CONFIG = {
    "sources": {
        "zuora": {"connector": "zuora", "roles": ["billing"], "mapping": "zuora"},
        "salesforce": {"connector": "salesforce", "roles": ["crm"], "mapping": "salesforce_cpq"},
    },
    "checks": {id_: {"mode": "monitor"} for id_ in CATALOGUE},
    "books": "books",
}


@pytest.fixture
def installed(unpublished: Worlds, tmp_path: Path, database: Database) -> World:
    """A world whose tieout.yaml lies in `tmp_path`, with nothing published."""
    (tmp_path / "tieout.yaml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    shutil.copy(ROOT / "owners.yaml", tmp_path / "owners.yaml")
    with database.engine.connect() as connection:
        command.stamp(alembic_config(connection), "head")
        connection.commit()
    return unpublished()


def _environment(world: World) -> dict[str, str]:
    config = world.installed.config.path("tieout.yaml")
    url = world.database.engine.url.render_as_string(hide_password=False)
    return {"TIEOUT_DATABASE_URL": url, "TIEOUT_CONFIG": str(config), "PYTHONPATH": str(ROOT)}


def _run(world: World, *arguments: str) -> Result:
    """The command in this process; what it raises is in the result."""
    return CliRunner().invoke(app, ["validate", *arguments], env=_environment(world))


def _body(world: World, *invoices: dict[str, Any]) -> str:
    file = world.installed.config.path("body.json")
    file.write_text(json.dumps(question(*invoices)), encoding="utf-8")
    return str(file)


def test_a_pass_is_status_0_and_json_is_one_document(installed: World) -> None:
    installed.publish()
    done = _run(installed, "BR-1", "--file", _body(installed, invoice()), "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert (answer["verdict"], answer["proceed"], answer["mode"]) == ("pass", True, "enforce")


def test_a_block_is_status_1_in_a_dry_run_too_and_says_why(installed: World) -> None:
    installed.publish()
    unknown = _body(installed, invoice("INV-1", "[red]", line("L-1")))
    done = _run(installed, "BR-1", "--file", unknown, "--dry-run")
    assert done.exit_code == 1
    assert "BLOCK  run BR-1: 1 invoices, 0 pass, 0 warn, 1 block" in done.stdout
    assert "INV-1  block  unknown_account: The account [red] of invoice INV-1 is not in the books." in done.stdout


def test_what_stands_in_the_way_of_a_question_is_said(installed: World) -> None:
    installed.publish()
    asked = _body(installed, invoice())
    config = str(installed.installed.config.path("tieout.yaml"))
    for arguments, said in (
        (["BR-1"], "TIEOUT_ZUORA_"),
        (["BR-1", "--system", "netsuite"], "no billing source 'netsuite'"),
        (["BR-2", "--file", asked], "asks about the run 'BR-1', not about 'BR-2'"),
        (["BR-1", "--file", config], "can't be read as a request"),
        (["BR-1", "--file", "nowhere.json"], "can't be read as a request"),
        (["BR-1", "--config", "nowhere.yaml"], "There is no nowhere.yaml"),
    ):
        error = _run(installed, *arguments).exception
        assert isinstance(error, GatewayError)
        assert said in str(error)


def test_a_question_that_cannot_be_put_is_one_sentence_and_status_2(installed: World) -> None:
    called = [sys.executable, "-m", "gateway.cli", "validate", "BR-1", "--file", _body(installed, invoice())]
    environment = {**os.environ, **_environment(installed)}
    done = subprocess.run(called, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert " ".join(done.stderr.split()).endswith("Run `tieout sync` first.")
