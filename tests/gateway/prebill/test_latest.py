"""The books in memory follow what is published, and no request ever sees a part of two snapshots."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import ibis.expr.types as ir
import pytest

from books.reading import Books
from checks.contract import Need, Params
from checks.rows import candidates, listed, reference
from gateway.errors import Unavailable
from tests.gateway.prebill.prebill_fixtures import Worlds
from tests.gateway.prebill.prebill_world import SOLD, World, check, invoice, line, question, sold, write

ROWS = Need("billing_schedules", "billing")


def _two_tables(books: Books, _: Params) -> ir.Table:
    """Every line with the price that its subscription line has and the one that its schedule row has."""
    lines = books.table("invoice_lines", "billing").filter(lambda t: t.unit_price.notnull())
    of_line = books.table("subscription_lines", "billing").select(s_key="key", here="unit_price")
    of_row = books.table("billing_schedules", "billing").select(v_line="subscription_line_key", there="unit_price")
    rows = lines.inner_join(of_line, lines.subscription_line_key == of_line.s_key)
    rows = rows.inner_join(of_row, rows.subscription_line_key == of_row.v_line)
    return candidates(
        rows,
        "invoice_lines",
        subject=rows.key,
        evidence=listed(reference(rows.system, "invoice_lines", rows.key)),
        invoice=rows.invoice_key,
        here=rows.here,
        there=rows.there,
        quantity=rows.quantity,
        agreed=rows.here,
        billed=rows.unit_price,
    )


PAIRED = check("paired", _two_tables, needs=(SOLD, ROWS), message="{here} and {there}")


def _price(world: World, price: int) -> str:
    return world.publish(sold(1, "500", str(price)))


def test_a_newer_snapshot_is_read_by_the_next_request(unpublished: Worlds) -> None:
    world = unpublished()
    gate = world.gate()
    for price in (40, 50, 60):
        snapshot = _price(world, price)
        answer = world.ask(question(invoice()), gate=gate)
        assert answer["snapshot"] == snapshot
        assert (answer["verdict"] == "pass") is (price == 40)


def test_nobody_sees_a_mix_of_two_snapshots_while_they_are_published(unpublished: Worlds) -> None:
    world = unpublished(PAIRED)
    gate = world.gate()
    prices = {_price(world, 100): 100}
    done = Event()

    def ask() -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []
        while not done.is_set() or not seen:
            answer = world.ask(question(invoice("INV-1", "ZA-1", line()), mode="dry_run"), gate=gate)
            (reason,) = answer["invoices"][0]["reasons"]
            seen.append((answer["snapshot"], reason["message"]))
        return seen

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for price in range(101, 107):
                prices[_price(world, price)] = price
        finally:
            done.set()
        seen = [each for one in asking for each in one.result(timeout=60)]
    assert len(seen) >= 4
    assert all(message == f"{prices[snapshot]} and {prices[snapshot]}" for snapshot, message in seen)
    assert world.ask(question(invoice()), gate=gate)["snapshot"] == list(prices)[-1]


def test_before_the_first_snapshot_there_is_no_answer(unpublished: Worlds) -> None:
    world = unpublished()
    with pytest.raises(Unavailable, match="tieout sync"):
        world.ask(question(invoice()))


def test_warming_up_without_a_snapshot_is_no_error(unpublished: Worlds) -> None:
    world = unpublished()
    gate = world.gate()
    gate.warm()
    world.publish()
    gate.warm()
    assert world.ask(question(invoice()), gate=gate)["proceed"]


def test_books_that_cannot_be_read_are_no_answer(world: World) -> None:
    shutil.rmtree(world.installed.config.path("books") / "accounts")
    with pytest.raises(Unavailable, match="cannot be read"):
        world.ask(question(invoice()))


def test_what_was_not_published_is_not_seen(world: World) -> None:
    before = world.installed.ledger.latest_id()
    write(world.store, sold(1, "500", "99"))
    answer = world.ask(question(invoice()))
    assert (answer["verdict"], answer["snapshot"]) == ("pass", before)
