"""What a check sees of a request: its drafts instead of the stored ones, resolved ids, its customers' rows."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import msgspec
import pytest

from books.engine import Engine, Request
from gateway.prebill.drafts import from_body
from gateway.prebill.overlay import Overlay
from gateway.prebill.request import Invoice, Run
from gateway.prebill.truth import Truth
from tests.gateway.prebill.prebill_fixtures import Worlds
from tests.gateway.prebill.prebill_world import NOW, World, account, brills, invoice, line, merged, sold, stored_invoice

ENTITIES = ("accounts", "invoices", "invoice_lines", "subscription_lines")


@contextmanager
def _overlay(world: World, *invoices: dict[str, Any]) -> Iterator[Overlay]:
    snapshot = world.installed.ledger.latest()
    assert snapshot is not None
    truth = Truth.load(world.store, snapshot, world.installed.ruleset)
    drafts = from_body(Run("zuora", "BR-1"), msgspec.convert(invoices, tuple[Invoice, ...]), NOW)
    with closing(truth.cursor()) as cursor:
        yield Overlay(truth, cursor, drafts, Request(NOW, NOW.date()))


def _keys(engine: Engine, table: str) -> list[str]:
    return [row["key"] for row in engine.rows(f"SELECT key FROM {table} ORDER BY key")]


def _seen(world: World, *invoices: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Invoices and their lines, as a check about the whole run sees them."""
    with _overlay(world, *invoices) as overlay:
        overlay.narrow(ENTITIES)
        engine = overlay.widen()
        return _keys(engine, "invoices"), _keys(engine, "invoice_lines")


@pytest.mark.parametrize(
    ("stored", "stays"),
    [
        ({"key": "INV-1", "status": "draft", "run": "BR-7"}, False),
        ({"key": "X", "status": "draft", "run": "BR-1"}, False),
        ({"key": "X", "status": "draft", "run": "BR-7", "number": "INV-1"}, False),
        ({"key": "X", "status": "draft", "run": "BR-7"}, True),
        ({"key": "X", "status": "posted", "run": "BR-1"}, True),
        ({"key": "X", "status": "void", "run": "BR-1"}, True),
        ({"key": "INV-1", "status": "draft", "run": "BR-1", "system": "netsuite"}, True),
    ],
)
def test_drafts_stand_for_stored_drafts_of_their_run_id_or_number_alone(
    worlds: Worlds, stored: dict[str, Any], stays: bool
) -> None:
    world = worlds()
    world.publish(stored_invoice(**stored))
    invoices, lines = _seen(world, invoice("INV-1"))
    assert invoices == sorted(["INV-1", "INV-OLD-1", *([stored["key"]] if stays else [])])
    assert lines == sorted(["INV-1-L", "INV-OLD-1-L", *([f"{stored['key']}-L"] if stays else [])])


def test_a_stored_line_without_an_invoice_does_not_vanish(worlds: Worlds) -> None:
    world = worlds()
    orphan = {**stored_invoice("GONE")["invoice_lines"][0], "invoice_key": None}
    world.publish(merged({"invoice_lines": [orphan]}, stored_invoice("INV-1", status="draft")))
    assert _seen(world, invoice("INV-1"))[1] == ["GONE-L", "INV-1-L", "INV-OLD-1-L"]


@pytest.mark.parametrize(
    ("charge", "resolved"),
    [
        ("C-1", ("C-1", None)),
        ("CH-1", ("C-1", None)),
        ("R-1", ("C-1", "R-1")),
        ("C-404", ("C-404", None)),
        (None, (None, None)),
    ],
)
def test_a_charge_is_known_by_id_number_or_schedule_row(
    world: World, charge: str | None, resolved: tuple[str | None, str | None]
) -> None:
    assert _line(world, charge_id=charge)["subscription_line_key"] == resolved[0]
    assert _line(world, charge_id=charge)["line_version_key"] == resolved[1]


@pytest.mark.parametrize(
    ("subscription", "key"),
    [("SUB-1", "S-1-v2"), ("S-1-v1", "S-1-v1"), ("S-1-v2", "S-1-v2"), ("SUB-404", "SUB-404"), (None, None)],
)
def test_a_subscription_number_means_its_newest_version(
    world: World, subscription: str | None, key: str | None
) -> None:
    assert _line(world, subscription_id=subscription)["subscription_key"] == key


def _line(world: World, **changes: Any) -> dict[str, Any]:
    with _overlay(world, invoice("INV-1", "ZA-1", line("L-1", **changes))) as overlay:
        (row,) = overlay.narrow(ENTITIES).rows("SELECT * FROM invoice_lines WHERE key = 'L-1'")
        return row


def test_a_draft_reads_like_any_row_of_the_books(world: World) -> None:
    lines = [line("L-1", tax="1.50"), line("L-2", tax="0.25"), line("L-3", tax=None)]
    with _overlay(world, invoice("INV-1", "A-001", *lines, contract_id="K-1")) as overlay:
        (row,) = overlay.narrow(ENTITIES).rows("SELECT * FROM invoices WHERE key = 'INV-1'")
    assert (row["system"], row["account_key"], row["status"], row["run_key"]) == ("zuora", "SF-1", "draft", "BR-1")
    assert (row["number"], row["contract_key"], str(row["tax"]), row["deleted"]) == ("INV-1", "K-1", "1.7500", False)


def test_an_account_number_that_two_customers_have_is_nobodys(worlds: Worlds) -> None:
    world = worlds()
    twin = [{**row, "number": "A-001"} for row in account(2)]
    world.publish({"accounts": twin})
    with _overlay(world, invoice("INV-1", "A-001"), invoice("INV-2", "ZA-1", line("L-2"))) as overlay:
        assert overlay.customers() == {"INV-1": None, "INV-2": "SF-1"}


def test_a_deleted_account_is_not_known(worlds: Worlds) -> None:
    world = worlds()
    world.publish({"accounts": [{**row, "deleted": True} for row in account(1)]})
    with _overlay(world, invoice("INV-1"), invoice("INV-2", "A-001", line("L-2"))) as overlay:
        assert overlay.customers() == {"INV-1": None, "INV-2": None}


def test_a_check_of_one_customer_sees_no_other_customers_rows(worlds: Worlds) -> None:
    world = worlds()
    world.publish(merged(stored_invoice("INV-OLD-2", 2), {"accounts": account(3)}, sold(3, "1", "1")))
    with _overlay(world, invoice("INV-1")) as overlay:
        engine = overlay.narrow(ENTITIES)
        assert _keys(engine, "subscription_lines") == ["C-1"]
        assert _keys(engine, "accounts") == ["SF-1", "ZA-1"]
        assert _keys(engine, "invoices") == ["INV-1", "INV-OLD-1"]
        assert _keys(engine, "fx_rates") == ["r1"], "what belongs to nobody is everybody's"
        whole = overlay.widen()
        assert _keys(whole, "subscription_lines") == ["C-1", "C-2", "C-3"]
        assert _keys(whole, "invoices") == ["INV-1", "INV-OLD-1", "INV-OLD-2"]


def test_two_requests_do_not_see_each_others_drafts(world: World) -> None:
    with _overlay(world, invoice("INV-1")) as one, _overlay(world, brills()) as other:
        assert _keys(one.narrow(ENTITIES), "invoices") == ["INV-1", "INV-OLD-1"]
        assert _keys(other.narrow(ENTITIES), "invoices") == ["INV-2"]
        assert _keys(one.engine, "invoices") == ["INV-1", "INV-OLD-1"]


def test_two_requests_over_the_same_books_do_not_either(world: World) -> None:
    snapshot = world.installed.ledger.latest()
    assert snapshot is not None
    truth = Truth.load(world.store, snapshot, world.installed.ruleset)
    run, request = Run("zuora", "BR-1"), Request(NOW, NOW.date())
    one, other = (from_body(run, msgspec.convert([each], tuple[Invoice, ...]), NOW) for each in (invoice(), brills()))
    with closing(truth.cursor()) as first, closing(truth.cursor()) as second:
        seen = [Overlay(truth, cursor, drafts, request) for cursor, drafts in ((first, one), (second, other))]
        assert [_keys(overlay.narrow(ENTITIES), "invoices") for overlay in seen] == [["INV-1", "INV-OLD-1"], ["INV-2"]]


def test_what_no_check_reads_stays_in_its_files_and_can_be_read(world: World) -> None:
    with _overlay(world, invoice()) as overlay:
        engine = overlay.narrow(ENTITIES)
        held = {row["table_name"] for row in engine.rows("FROM duckdb_tables() WHERE schema_name = 'truth'")}
        assert "subscription_lines" in held
        assert _keys(engine, "amendments") == []
        assert engine.rows("SELECT DISTINCT system FROM sources ORDER BY 1")[0] == {"system": "reference"}
