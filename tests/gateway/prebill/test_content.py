"""The content hash: one cent changes it, the order and the way of writing a number do not."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from books.engine import Engine, connect
from gateway.prebill.content import content_hash
from gateway.prebill.drafts import from_body
from gateway.prebill.request import Invoice, Run
from tests.gateway.prebill.prebill_world import NOW, invoice, line

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8)
CENTS = st.integers(-(10**15), 10**15)
FEW = settings(max_examples=25, deadline=None)


Hash = Callable[[Sequence[dict[str, Any]]], str]


@pytest.fixture(scope="module")
def hash_of() -> Iterator[Hash]:
    with Engine(connect()) as engine:

        def hashed(invoices: Sequence[dict[str, Any]]) -> str:
            said = msgspec.convert(invoices, tuple[Invoice, ...])
            drafts = from_body(Run("zuora", "BR-1"), said, NOW)
            engine.hold("said_invoices", drafts.invoices)
            engine.hold("said_invoice_lines", drafts.lines)
            return content_hash(engine)

        yield hashed


def _money(cents: int) -> str:
    sign, size = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{size // 100}.{size % 100:02}"


@st.composite
def runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    made = []
    for n in range(draw(st.integers(1, 4))):
        lines = [
            line(f"L-{n}-{m}", draw(st.none() | TEXT), amount=_money(draw(CENTS)), name=draw(st.none() | TEXT))
            for m in range(draw(st.integers(0, 3)))
        ]
        made.append({**invoice(f"INV-{n}", draw(TEXT)), "total": _money(draw(CENTS)), "lines": lines})
    return made


@FEW
@given(runs(), st.randoms())
def test_the_order_of_invoices_and_lines_makes_no_difference(
    hash_of: Hash, run: list[dict[str, Any]], random: random.Random
) -> None:
    other = [{**one, "lines": random.sample(one["lines"], len(one["lines"]))} for one in run]
    random.shuffle(other)
    assert hash_of(run) == hash_of(other)


@FEW
@given(runs(), st.data())
def test_one_cent_anywhere_changes_it(hash_of: Hash, run: list[dict[str, Any]], data: st.DataObject) -> None:
    parts = [*run, *(each for one in run for each in one["lines"])]
    before = hash_of(run)
    part = data.draw(st.sampled_from(parts))
    field = "total" if "total" in part else data.draw(st.sampled_from(["amount", "tax"]))
    part[field] = _money(int(part[field].replace(".", "")) + 1)
    assert hash_of(run) != before


@FEW
@given(CENTS, st.integers(0, 2))
def test_zeros_behind_a_number_make_no_difference(hash_of: Hash, cents: int, zeros: int) -> None:
    said = _money(cents)
    assert hash_of([invoice(total=said)]) == hash_of([invoice(total=said + "0" * zeros)])
    if said.endswith("0"):
        assert hash_of([invoice(total=said)]) == hash_of([invoice(total=said[:-1])])


@FEW
@given(st.sampled_from(["id", "name", "subscription_id", "charge_id", "product_code", "tax_code"]), TEXT, TEXT)
def test_another_text_changes_it(hash_of: Hash, field: str, one: str, other: str) -> None:
    same = one == other
    said = [hash_of([invoice("INV-1", "ZA-1", line(**{field: text}))]) for text in (one, other)]
    assert (said[0] == said[1]) is same


def test_dates_lines_and_currency_change_it(hash_of: Hash) -> None:
    plain = hash_of([invoice()])
    others = [
        [invoice(invoice_date="2026-12-01")],
        [invoice(due_date="2026-12-31")],
        [invoice(currency="EUR")],
        [invoice(po_number="PO-1")],
        [invoice(contract_id="C-1")],
        [invoice("INV-1", "ZA-1", line("INV-1-L", period_end="2026-11-30"))],
        [invoice("INV-1", "ZA-1", line("INV-1-L"), line("INV-1-M"))],
        [invoice(), invoice("INV-2", lines=[])],
        [],
    ]
    assert len({plain, *map(hash_of, others)}) == len(others) + 1


def test_a_line_that_moves_to_another_invoice_changes_it(hash_of: Hash) -> None:
    here = [invoice("INV-1", "ZA-1", line("L-1"), line("L-2")), invoice("INV-2", "ZA-1", line("L-3"))]
    there = [invoice("INV-1", "ZA-1", line("L-1")), invoice("INV-2", "ZA-1", line("L-2"), line("L-3"))]
    assert hash_of(here) != hash_of(there)


def test_texts_do_not_run_into_each_other(hash_of: Hash) -> None:
    one = invoice("INV-1", "ZA-1", line(product_code="ab", name="c"))
    other = invoice("INV-1", "ZA-1", line(product_code="a", name="bc"))
    assert hash_of([one]) != hash_of([other])


def test_the_hash_is_the_same_on_every_machine(hash_of: Hash) -> None:
    """Verdicts of a year ago are compared with it: whoever changes this value voids every override."""
    assert hash_of([invoice()]) == "sha256:88ac7f24359761f79200817fe59559f064253034d1be803c4e7a2a5437c48b6c"
