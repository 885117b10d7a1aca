"""A check of one's own does not act before tieout.yaml says how; then it is like any other."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from checks.catalogue import CATALOGUE
from checks.contract import Mode
from gateway.config import parse
from gateway.errors import ConfigError
from gateway.exceptions.tables import Case
from gateway.installation import Installation
from tests.gateway.prebill.prebill_fixtures import Worlds
from tests.gateway.prebill.prebill_world import SYSTEMS, World, invoice, line, question
from tests.gateway.user_checks.test_user_checks import HEADER, SELECT, sql, taken

DEAR = question(invoice("INV-1", "ZA-1", line(quantity="600", amount="24000.00"), total="24000.00"))
MANY = sql(
    HEADER.replace("record: invoices", "record: invoice_lines").replace("100,", "550,"),
    """SELECT l.system, l.key, l.account_key, l.currency, l.invoice_key, l.subscription_line_key AS subject,
              l.amount AS total, l.key AS number
       FROM billing.invoice_lines l WHERE l.quantity > :least""",
)


def installed(folder: Path, **checks: object) -> Installation:
    sources = {
        name: {"connector": "files", "roles": [role], "mapping": "metering", "settings": {"folder": "."}}
        for name, (role, _) in SYSTEMS.items()
    }
    return Installation(parse({"sources": sources, "user_checks": "own", "checks": checks}, folder))


def cases(world: World) -> int:
    with world.database.session() as session:
        return session.scalar(select(func.count()).select_from(Case)) or 0


def test_it_is_in_shadow_until_a_mode_is_said(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "many.sql").write_text(sql(select=SELECT))
    rules = installed(tmp_path, many={"settings": {"least": 5}}).ruleset.rules
    assert rules.keys() == {*CATALOGUE, "many"}
    assert rules["many"].check.mode is Mode.SHADOW
    accepted = installed(tmp_path, many={"mode": "block"}).ruleset
    assert accepted.rules["many"].check.mode is Mode.BLOCK
    assert accepted.digest != installed(tmp_path).ruleset.digest
    (tmp_path / "own" / "many.sql").write_text("SELECT 1")
    with pytest.raises(ConfigError, match="It has no header"):
        _ = installed(tmp_path).ruleset


@pytest.mark.parametrize(("mode", "verdict", "opened"), [("shadow", "pass", 0), ("block", "block", 1)])
def test_in_shadow_neither_the_gate_nor_the_queue_acts(
    worlds: Worlds, tmp_path: Path, mode: str, verdict: str, opened: int
) -> None:
    (tmp_path / "own").mkdir()
    world = worlds(
        taken(tmp_path / "own", "many.sql", MANY, Installation(parse({}, tmp_path)).books),
        checks={"many": {"mode": mode}},
    )
    answer = world.ask(DEAR)
    assert (answer["verdict"], cases(world)) == (verdict, opened)
    assert [reason["check"] for reason in answer["invoices"][0]["reasons"]] == ["many"] * opened


def test_one_that_breaks_on_the_data_takes_no_other_down(worlds: Worlds, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    books = Installation(parse({}, tmp_path)).books
    odd = MANY.replace("l.amount AS total", "CAST(l.key AS INTEGER) AS total")
    both = [taken(tmp_path / "own", "odd.sql", odd, books), taken(tmp_path / "own", "many.sql", MANY, books)]
    world = worlds(*both, checks={"odd": {"mode": "warn"}, "many": {"mode": "block"}})
    answer = world.ask(DEAR)
    assert [(r["check"], r["outcome"]) for r in answer["run_reasons"]] == [("odd", "not_evaluated")]
    assert "Could not convert string" in answer["run_reasons"][0]["message"]
    assert [(r["check"], r["outcome"]) for r in answer["invoices"][0]["reasons"]] == [("many", "failed")]
