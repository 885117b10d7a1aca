"""The pages of the checks: by family with their state, one by one, and the matrix with its gaps."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from books.entities import ENTITIES
from books.reading import Books
from checks.catalogue import CATALOGUE
from checks.contract import Mode, Outcome
from checks.findings import Evaluation
from gateway.console.words import title
from gateway.evaluations.keeping import keep
from tests.gateway.console.console_pages import page
from tests.gateway.console.console_world import HOUR, NOW, World, finding
from tests.gateway.user_checks.test_user_checks import sql

SEATS = CATALOGUE["seat_overage_unbilled"]


pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(world: World, tmp_path: Path) -> World:
    """With a check of its own; half an hour ago a sweep found two states, one of them in shadow."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "no_due_date.sql").write_text(sql(), encoding="utf-8")
    world.installed.config = world.installed.config.model_copy(update={"user_checks": str(tmp_path / "own")})
    config = world.installed.config
    world.installed.books = Books(config.roles(), {name: frozenset(ENTITIES) for name in config.sources})
    own = replace(world.installed.checks["no_due_date"], mode=Mode.SHADOW)
    world.find(finding("CL-1"), of=SEATS)
    unsure = Evaluation(CATALOGUE["invoice_math_error"], Outcome.NOT_EVALUATED, "invoices of zuora is stale.")
    recorded = Evaluation(own, Outcome.FAILED, None, (finding("INV-9", "77.00", check=own.id),))
    seen = Evaluation(SEATS, Outcome.FAILED, None, (finding("CL-1"),))
    with world.installed.database.session() as session:
        keep(session, [seen, unsure, recorded], "snap_1", NOW - HOUR / 2)
    return world


def test_all_checks_stand_by_family_with_their_state(client: httpx.Client) -> None:
    shown = page(client, "/checks")
    assert shown.links["Checks"] == "/checks"
    assert f"{len(CATALOGUE) + 1} checks" in shown.text
    assert all(shown.links[title(id_)] == f"/checks/{id_}" for id_ in (*CATALOGUE, "no_due_date"))
    assert "Invoice math error The figures of an invoice do not add up. Not evaluated invoices of zuora is stale." in (
        shown.text
    )
    assert "30 min ago" in shown.text
    assert "No due date Own" in shown.text


def test_one_check_shows_its_text_and_what_is_in_force(client: httpx.Client) -> None:
    shown = page(client, "/checks/seat_overage_unbilled")
    assert SEATS.condition in shown.text
    assert all(text in shown.text for text in SEATS.advice.values())
    assert "grace_days" in shown.text
    assert shown.links["1 open exception"] == "/exceptions?check=seat_overage_unbilled"
    assert page(client, "/checks/nothing", 404)


def test_what_a_check_in_shadow_found_is_recorded_on_its_page(client: httpx.Client) -> None:
    shown = page(client, "/checks/no_due_date")
    assert "nobody acts on it" in shown.text
    assert "salesforce/contract_lines/INV-9" in shown.text
    assert "77.00 USD" in shown.text


def test_the_matrix_shows_gaps_and_is_exported(client: httpx.Client) -> None:
    shown = page(client, "/controls")
    assert "Migration" in shown.text
    assert "no check" in shown.text
    assert shown.links["Export as CSV"] == "/controls.csv"
    rows = list(csv.DictReader(io.StringIO(client.get("/controls.csv").text)))
    assert {"no check", "in shadow", "not applicable", "covered"} >= {row["state"] for row in rows}
    assert ("no_due_date", "in shadow") in {(row["check"], row["state"]) for row in rows}
