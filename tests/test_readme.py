"""What the README promises works as it is written."""

import re
import types
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from books.engine import Engine, Request, connect
from books.entities import ENTITIES
from books.reading import Books
from books.snapshots import Reading, Snapshot
from books.store import table_from
from checks.contract import Outcome
from checks.judging import Bands
from checks.ruleset import Ruleset
from gateway.cli.app import app
from sandbox.company import build

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def test_the_check_in_the_readme_finds_what_it_says() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    module = types.ModuleType("example")
    exec(compile(code[1], "README.md", "exec"), module.__dict__)
    check = module.CHECK
    common = {"system": "bill", "account_key": "A", "deleted": False, "modified_at": NOW, "currency": "USD"}
    rows = [
        {**common, "key": "1", "number": "I-1", "status": "posted", "total": Decimal(120)},
        {**common, "key": "2", "number": "I-2", "status": "posted", "total": Decimal(80), "due_date": NOW.date()},
        {**common, "key": "3", "number": "I-3", "status": "draft", "total": Decimal(80)},
    ]
    engine = Engine(connect())
    for entity in ENTITIES:
        engine.hold(entity, table_from(entity, rows if entity == "invoices" else []))
    engine.ask(Request(NOW, NOW.date()))
    books = Books({"billing": ("bill",)}, {"bill": frozenset({"invoices"})})
    snapshot = Snapshot("s", NOW, {}, {("bill", "invoices"): Reading(NOW, timedelta(hours=1))})
    found = Ruleset([check], books).evaluate(check.id, engine, snapshot, NOW, whole_run=True, bands=Bands())
    assert found.outcome is Outcome.FAILED
    assert [finding.message for finding in found.findings] == ["Invoice I-1 of 120 USD is posted and never falls due."]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?://)([^)#]+)\)", README))))
def test_every_link_leads_to_a_file(target: str) -> None:
    assert (ROOT / target).exists(), f"README.md links to {target}, which is not there."


@pytest.mark.parametrize("command", sorted(set(re.findall(r"tieout ((?:[a-z]+ ?){1,2})", README))))
def test_every_command_exists_and_shows_an_example(command: str) -> None:
    words = [word for word in command.split() if word in _KNOWN]
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    assert words


_KNOWN = {
    "sync", "check", "validate", "serve", "schedule", "demo", "exceptions", "list", "show", "ack", "owners", "lint",
    "keys", "create", "db", "upgrade", "doctor", "reconcile", "mappings", "diff", "controls", "dictionary",
    "links", "score",
}  # fmt: skip


def test_the_run_that_the_readme_asks_about_is_the_demos_second_one() -> None:
    company = build(7, 240, ours=False)
    assert f'"id": "{company.bad_run.number}"' in README
    assert f'"counts": {{"invoices": {len(company.drafts(company.bad_run))},' in README
