"""A sweep that looks only at what may have changed finds what one over all of the books finds.

`TIEOUT_HISTORIES` is how many random histories are tried.
"""

import os
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from gateway.db.session import Database
from gateway.evaluations.tables import CheckState
from gateway.exceptions.tables import Case
from tests.checks.kit import Ledger, seats
from tests.gateway.sweeping.sweep_world import CUSTOMERS, FRESH, MINUTE, MORNING, World

EXAMPLES = int(os.environ.get("TIEOUT_HISTORIES", "1"))
Change = Callable[[World, str, int], None]


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database).begun()


def billed_again(world: World, customer: str, n: int) -> None:
    """The same month once more, which the ERP is to hear of."""
    at = {"account_key": customer, "posted_at": world.now}
    line = seats(11, line_version_key=f"SL-{customer}", amount=Decimal(20_000 - n % 2))
    world.write(Ledger().invoice(f"J{n}-{customer}", date(2026, 11, 2), line, **at))


def in_the_erp(world: World, customer: str, n: int) -> None:
    """The ERP has an invoice, perhaps under a customer that nobody knows."""
    at = {"account_key": customer if n % 2 else f"erp:{customer}"}
    said = {"billing_key": f"J{n // 2}-{customer}", "status": "posted", "currency": "USD", "total": Decimal(20_000)}
    world.write(Ledger().add("invoices", "erp", f"F{n // 2}-{customer}", **said, **at))


def voided(world: World, customer: str, n: int) -> None:
    old = Ledger().invoice(f"I-{customer}", date(2026, 11, 1), seats(11, line_version_key=f"SL-{customer}"))
    world.write(old.change("invoices", f"I-{customer}", status="void" if n % 2 else "posted", account_key=customer))


def shortened(world: World, customer: str, n: int) -> None:
    """The schedule ends within days, or as soon as it has begun."""
    ends = date(2026, 12, 2) if n % 2 else date(2026, 11, 20)
    sold = Ledger().subscription_line(f"SL-{customer}", f"S-{customer}", None, account_key=customer)
    world.write(sold.change("billing_schedules", f"SL-{customer}", end_date=ends))


def moved(world: World, customer: str, n: int) -> None:
    """An invoice turns out to be another customer's."""
    other = CUSTOMERS[n % len(CUSTOMERS)]
    line = seats(11, line_version_key=f"SL-{customer}")
    world.write(Ledger().invoice(f"I-{customer}", date(2026, 11, 1), line, account_key=other))


def used_by_nobody(world: World, customer: str, n: int) -> None:
    event = {"account_key": customer if n % 3 else None, "account_id": f"nobody-{n}", "meter": "calls"}
    at = {"happened_at": world.now, "received_at": world.now - timedelta(days=n % 5), "quantity": Decimal(n)}
    world.write(Ledger().add("usage_events", "usage", f"U{n}", **event, **at))


def linked(world: World, customer: str, n: int) -> None:
    other = CUSTOMERS[n % len(CUSTOMERS)]
    said = {"left_system": "crm", "left_key": customer, "right_system": "billing", "right_key": other}
    world.write(
        Ledger().add("links", "integration", f"L-{customer}", account_key=customer, modified_at=world.now, **said)
    )


def other_currency(world: World, customer: str, n: int) -> None:
    world.write(Ledger().account(customer, currency="EUR" if n % 2 else "USD"))


def late(world: World, _: str, n: int) -> None:
    """A source is read no further for some minutes: too late for what it has to show, or for anybody to rely on it."""
    world.marks[("erp", "billing")[n % 2]] = world.now - (10, 50, 90)[n % 3] * MINUTE


def on_time(world: World, _: str, __: int) -> None:
    world.marks.clear()


def later(world: World, _: str, n: int) -> None:
    world.now += (25 * MINUTE, timedelta(hours=16), timedelta(days=1))[n % 3]


CHANGES: tuple[Change, ...] = (
    billed_again, in_the_erp, voided, shortened, moved, used_by_nobody, linked, other_currency, late, on_time, later,
)  # fmt: skip
steps = st.lists(
    st.lists(st.tuples(st.sampled_from(CHANGES), st.sampled_from(CUSTOMERS[:4]), st.integers(0, 12)), max_size=2),
    min_size=4,
    max_size=5,
)


@given(steps)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_after_any_changes_the_same_is_found(
    tmp_path_factory: pytest.TempPathFactory, database: Database, history: list[list[tuple[Change, str, int]]]
) -> None:
    with database.session() as session:
        session.execute(text("TRUNCATE snapshots, sweep_marks, sweep_later, check_states"))
    world = World(tmp_path_factory.mktemp("world"), database).begun()
    for step in history:
        after(world, *step)


def after(world: World, *changes: tuple[Change, str, int]) -> dict[str, list[str] | None]:
    """What was asked of whom after these changes, None for everybody; it is found what a whole sweep finds."""
    world.now += 5 * MINUTE
    for change, customer, n in changes:
        change(world, customer, n)
    world.publish()
    asked = {one.check.id: one.accounts for one in world.sweep().evaluations}
    world.same_as_everything()
    return {check: None if accounts is None else sorted(accounts) for check, accounts in asked.items()}


MOMENTARY: dict[str, list[str] | None] = {"source_stale": None}


def test_only_what_a_change_can_touch_is_asked(world: World) -> None:
    assert after(world) == MOMENTARY
    of_invoices = {"duplicate_invoice_line", "subscription_line_without_schedule", "invoice_not_in_erp"}
    asked = after(world, (billed_again, "A1", 0))
    assert asked == {name: ["A1"] for name in of_invoices & asked.keys()} | MOMENTARY
    assert "duplicate_invoice_line" in asked
    # The invoice waits for the ERP, whose watermark passes it by and by.
    assert after(world) == MOMENTARY
    world.now += 15 * MINUTE
    assert after(world) == MOMENTARY
    world.now += 10 * MINUTE
    assert after(world) == {"invoice_not_in_erp": ["A1"], **MOMENTARY}
    # The ERP has it under a customer of its own: both belong together from now on, and when they part.
    assert after(world, (in_the_erp, "A1", 0))["invoice_not_in_erp"] == ["A1", "erp:A1"]
    assert after(world, (in_the_erp, "A1", 1))["invoice_not_in_erp"] == ["A1", "erp:A1"]
    # A link has two ends, and time to settle.
    assert after(world, (linked, "A2", 2))["linked_otherwise"] == ["A2", "A3"]
    assert after(world, (other_currency, "A3", 1))["linked_otherwise"] == ["A2", "A3"]
    assert after(world) == MOMENTARY
    world.now += 5 * MINUTE
    assert after(world) == {"linked_otherwise": ["A2", "A3"], **MOMENTARY}
    assert len(world.told["linked_otherwise"]) == 1
    assert after(world, (used_by_nobody, "A1", 3))["usage_unmatched_account"] is None
    assert after(world, (shortened, "A4", 1))["subscription_line_without_schedule"] == ["A4"]
    world.now += timedelta(hours=14, minutes=30)  # the first sweep of a day asks everything of everybody
    assert set(after(world).values()) == {None}


def test_a_case_clears_although_nothing_changes_any_more(world: World) -> None:
    def states() -> list[str]:
        with world.installed.database.session() as session:
            return list(session.scalars(select(Case.state).where(Case.check_id == "duplicate_invoice_line")))

    after(world, (billed_again, "A1", 0))
    assert states() == ["open"]
    world.write(
        Ledger().invoice(
            "J0-A1", date(2026, 11, 2), seats(11, line_version_key="SL-A1"), account_key="A1", status="void"
        )
    )
    assert after(world)["duplicate_invoice_line"] == ["A1"]
    assert states() == ["open"]
    assert after(world)["duplicate_invoice_line"] == ["A1"]
    assert states() == ["verified"]
    assert after(world) == MOMENTARY


def test_a_case_of_nobody_clears_too(world: World) -> None:
    def states() -> list[tuple[str | None, str]]:
        with world.installed.database.session() as session:
            cases = session.scalars(select(Case).where(Case.check_id == "usage_unmatched_account"))
            return [(case.account_key, case.state) for case in cases]

    after(world, (used_by_nobody, "A1", 3))
    assert states() == [(None, "open")]
    world.write(Ledger().add("usage_events", "usage", "U3", account_key=None, is_test=True, happened_at=MORNING))
    assert after(world)["usage_unmatched_account"] is None
    assert states() == [(None, "open")]
    assert after(world)["usage_unmatched_account"] is None
    assert states() == [(None, "verified")]
    assert after(world) == MOMENTARY


def test_what_a_stale_source_leaves_unknown_is_not_told_as_passed(world: World) -> None:
    def outcome() -> str:
        with world.installed.database.session() as session:
            return session.get_one(CheckState, "invoice_not_in_erp").outcome

    of_the_erp = {"invoice_not_in_erp": None, "duplicate_invoice_line": None, **MOMENTARY}
    assert after(world) == MOMENTARY
    assert outcome() == "passed"
    world.marks["erp"] = world.now
    world.now += FRESH * MINUTE
    assert after(world) == of_the_erp
    assert outcome() == "not_evaluated"
    world.marks.clear()
    assert after(world) == of_the_erp
    assert outcome() == "passed"
    assert after(world) == MOMENTARY
