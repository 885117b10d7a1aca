"""Salesforce stops answering: nothing is claimed that is not known, the gate stays shut, IT hears of it, and all is
as before once Salesforce is back.

It runs the demo's own company with its planted defects, so that a finding that came or went would show.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checks.contract import Outcome
from gateway.db.session import Database
from gateway.demo.world import World
from gateway.exceptions.tables import Case
from gateway.installation import Installation
from gateway.prebill.opening import open_gate
from gateway.sweep import Sweep, sweep
from gateway.sync.run import sync_now

pytestmark = pytest.mark.timeout(600)
UNREAD = "shipping"
"""A system of the company that the installation knows nothing of."""


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Iterator[World]:
    with World(tmp_path / "world", seed=7, accounts=200, public_url="http://127.0.0.1:1") as world:
        config = world.installed.config
        read = {name: source for name, source in config.sources.items() if name != UNREAD}
        with closing(Installation(config.model_copy(update={"sources": read}), world.clock)) as world.installed:
            world.installed.database = database
            yield world


def swept(world: World) -> Sweep:
    return sweep(world.installed, world.clock())


def asked(world: World, run: str) -> dict[str, Any]:
    body = {"run": {"system": "zuora", "id": run}, "mode": "enforce"}
    answer = open_gate(world.installed).ask(json.dumps(body).encode(), "test", secrets.token_hex(8))
    shown: dict[str, Any] = json.loads(answer) if isinstance(answer, bytes) else dict(answer)
    return shown


def found(sweep: Sweep) -> set[str]:
    return {finding.fingerprint for finding in sweep.findings() if finding.check != "source_stale"}


def reads_salesforce(world: World) -> set[str]:
    books = world.installed.books
    return {
        id_
        for id_, rule in world.installed.ruleset.rules.items()
        if any("salesforce" in books.systems(need.entity, need.role) for need in rule.check.needs)
    } - {"source_stale"}


def test_salesforce_stops_and_comes_back(world: World) -> None:
    clean = world.company.bill_runs[0].number
    sync_now(world.installed)
    before = swept(world)
    assert found(before)
    assert asked(world, clean)["proceed"] is True
    outcomes = {e.check.id: e.outcome for e in before.evaluations}
    assert outcomes["shipped_not_billed"] is Outcome.NOT_APPLICABLE

    world.salesforce.stop()
    report = sync_now(world.installed)
    assert report.sources["salesforce"].failure
    assert not report.sources["zuora"].failure
    during = swept(world)

    by_check = {e.check.id: e for e in during.evaluations}
    waiting = {id_ for id_ in reads_salesforce(world) if outcomes[id_] is not Outcome.NOT_APPLICABLE}
    assert waiting, "some checks read Salesforce"
    assert {id_ for id_ in waiting if by_check[id_].outcome is not Outcome.NOT_EVALUATED} == set()
    assert all("salesforce" in (by_check[id_].reason or "") for id_ in waiting)
    assert found(during) <= found(before), "an outage finds nothing"
    (told,) = [f for f in during.findings() if f.check == "source_stale"]
    assert told.record.system == "salesforce"
    with world.installed.database.session() as session:
        case = session.scalars(select(Case).where(Case.check_id == "source_stale")).one()
        assert case.business_team == "it"
        closed = session.scalars(select(Case.check_id).where(Case.state.in_(("resolved", "verified")))).all()
        assert closed == [], "what could not be evaluated resolves nothing"

    shut = asked(world, clean)
    assert (shut["verdict"], shut["proceed"]) == ("block", False)
    reasons = [r for r in shut["run_reasons"] if r["outcome"] == "not_evaluated" and r["mode"] == "block"]
    assert reasons
    assert any("salesforce" in reason["message"] for reason in reasons)
    assert "shipped_not_billed" in shut["not_applicable"]
    answered = [*shut["run_reasons"], *(reason for invoice in shut["invoices"] for reason in invoice["reasons"])]
    asked_in_vain = {reason["check"] for reason in answered} & set(shut["not_applicable"])
    assert asked_in_vain == set(), "a check that is not applicable is listed and is never a reason"

    world.salesforce.start()
    assert not sync_now(world.installed).sources["salesforce"].failure
    after = swept(world)
    assert found(after) == found(before)
    assert [f for f in after.findings() if f.check == "source_stale"] == []
    assert asked(world, clean)["proceed"] is True


def test_a_source_that_nobody_polls_any_more_goes_stale(world: World) -> None:
    sync_now(world.installed)
    later = world.clock() + timedelta(hours=3)
    sweep_later = sweep(world.installed, later)
    stale = {f.record.system for f in sweep_later.findings() if f.check == "source_stale"}
    assert stale == set(world.installed.config.sources)
    # What reads our own records alone depends on no source.
    own = {e.check.id for e in sweep_later.evaluations if {need.role for need in e.check.needs} == {"controls"}}
    judged = {e.check.id: e.outcome for e in sweep_later.evaluations if e.check.id not in own}
    assert set(judged.values()) <= {Outcome.NOT_EVALUATED, Outcome.NOT_APPLICABLE, Outcome.FAILED}
    assert [id_ for id_, outcome in judged.items() if outcome is Outcome.FAILED] == ["source_stale"]
