"""Our own cases, holds and accepted risks are in the books before a sweep, as they are then."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa

from books.snapshots import Snapshot
from gateway.exceptions.actions import Acting, acknowledge, resolve
from gateway.exceptions.states import Resolution
from gateway.own_records.renewing import renewed
from tests.gateway.prebill.prebill_world import (
    DAY,
    NOW,
    PULL,
    Pulled,
    World,
    brills,
    draft_run,
    invoice,
    line,
    question,
)

HOUR = timedelta(hours=1)
QUARTER = HOUR / 4
WRONG = invoice("INV-1", "ZA-1", line("INV-1-L", unit_price="39.00"))


def own(world: World, entity: str) -> list[dict[str, Any]]:
    """The live rows of an entity of ours, as a sweep at this moment sees them."""
    snapshot = renewed(world.installed, world.now)
    assert isinstance(snapshot, Snapshot)
    with world.engine() as engine:
        return engine.rows(f"SELECT * FROM \"{entity}\" WHERE system = 'tieout' AND NOT deleted ORDER BY key")


def test_what_the_gate_blocks_is_a_hold_until_it_passes(world: World) -> None:
    world.ask(question(WRONG, brills()))
    (hold,) = own(world, "holds")
    assert (hold["key"], hold["account_key"], hold["currency"]) == ("zuora/BR-1/INV-1", "SF-1", "USD")
    assert (hold["amount"], hold["reason"], hold["held_at"]) == (20_000, "wrong_price", NOW)
    assert hold["owner"] in world.installed.owners.people
    assert hold["due_at"] > NOW
    world.now += QUARTER
    world.ask(question(WRONG, brills()))
    assert [held["held_at"] for held in own(world, "holds")] == [NOW]
    world.now += QUARTER
    world.ask(question(invoice(), brills()))
    assert own(world, "holds") == []
    world.now += QUARTER
    world.ask(question(WRONG))
    assert [held["held_at"] for held in own(world, "holds")] == [NOW + 3 * QUARTER]


def test_a_question_about_another_part_of_the_run_ends_no_hold(world: World) -> None:
    world.ask(question(WRONG))
    world.now += QUARTER
    world.ask(question(brills()))
    assert [(held["invoice_key"], held["held_at"]) for held in own(world, "holds")] == [("INV-1", NOW)]


def test_a_question_that_claims_the_whole_run_ends_the_hold_of_what_it_leaves_out(world: World) -> None:
    world.ask(question(WRONG, complete=True))
    assert len(own(world, "holds")) == 1
    world.now += QUARTER
    world.ask(question(brills(), complete=True))
    assert own(world, "holds") == []
    world.now += QUARTER
    world.ask(question(WRONG))
    assert [held["held_at"] for held in own(world, "holds")] == [NOW + 2 * QUARTER]


def test_a_run_that_is_pulled_ends_the_hold_of_what_is_not_on_it_any_more(world: World) -> None:
    world.ask(question(WRONG))
    assert len(own(world, "holds")) == 1
    world.now += QUARTER
    world.can_pull(Pulled(replace(draft_run(), whole=False)))
    world.ask(PULL)
    assert len(own(world, "holds")) == 1, "only some of the accounts of the run were asked about"
    world.now += QUARTER
    world.can_pull(Pulled(draft_run()))
    world.ask(PULL)
    assert own(world, "holds") == []


def test_whose_a_hold_is_comes_from_what_is_published(world: World) -> None:
    world.ask(question(WRONG))
    world.store.assign_accounts("accounts", "zuora", pa.table({"key": ["ZA-1"], "account_key": ["SF-2"]}))
    assert [held["account_key"] for held in own(world, "holds")] == ["SF-1"]


def test_a_dry_run_holds_nothing(world: World) -> None:
    world.ask(question(WRONG, mode="dry_run"))
    assert own(world, "holds") == []


def test_an_open_case_says_who_has_it_and_until_when_nobody_must_have_touched_it(world: World) -> None:
    world.ask(question(WRONG))
    (case,) = own(world, "cases")
    assert (case["check"], case["account_key"], case["state"]) == ("wrong_price", "SF-1", "open")
    assert (case["amount"], case["owner_active"], case["deputy"]) == (500, True, None)
    assert case["opened_at"] == case["touched_at"] == NOW
    assert case["untouched_until"] > case["due_at"] > NOW
    world.now += 6 * HOUR
    with world.database.session() as session:
        acknowledge(Acting(session, world.installed.owners, case["owner"], world.now), case["number"])
    (touched,) = own(world, "cases")
    assert (touched["state"], touched["touched_at"]) == ("acknowledged", NOW + 6 * HOUR)
    assert touched["untouched_until"] > case["untouched_until"]


def test_an_accepted_risk_is_an_override_and_its_case_is_over(world: World) -> None:
    world.ask(question(WRONG))
    (case,) = own(world, "cases")
    with world.database.session() as session:
        acting = Acting(session, world.installed.owners, case["owner"], world.now)
        acknowledge(acting, case["number"])
        approver = next(person for person in world.installed.owners.people if person != case["owner"])
        resolve(acting, case["number"], Resolution.ACCEPTED_RISK, "agreed", approver=approver, until=NOW + 30 * DAY)
    (override,) = own(world, "overrides")
    assert (override["check"], override["account_key"], override["amount"]) == ("wrong_price", "SF-1", 500)
    assert (override["requested_by"], override["approved_by"]) == (case["owner"], approver)
    assert (override["approved_at"], override["expires_at"]) == (NOW, NOW + 30 * DAY)
    assert own(world, "cases") == []


def test_where_nothing_happened_nothing_is_published(world: World) -> None:
    world.ask(question(WRONG))
    before = world.installed.ledger.latest()
    first = renewed(world.installed, world.now)
    again = renewed(world.installed, world.now + HOUR)
    assert before is not None
    assert first is not None
    assert again is not None
    assert before.id != first.id == again.id
    assert {name: version for name, version in first.versions.items() if name in before.versions} == before.versions
    assert {at: first.readings[at].watermark for at in before.readings} == {
        at: reading.watermark for at, reading in before.readings.items()
    }
    assert "tieout" not in first.as_of()


def test_somebody_elses_sync_publishes_them_itself(world: World) -> None:
    world.ask(question(WRONG))
    before = world.installed.ledger.latest()
    with world.installed.database.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(4701002)")
        found = renewed(world.installed, world.now)
        connection.exec_driver_sql("SELECT pg_advisory_unlock(4701002)")
    assert (found and found.id) == (before and before.id)
