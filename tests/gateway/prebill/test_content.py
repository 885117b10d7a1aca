"""The content hash: one cent changes it, the order and the way of writing a number do not."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.prebill.content import content_hash
from gateway.prebill.drafts import from_body
from gateway.prebill.request import Invoice, Run
from tests.gateway.prebill.prebill_world import NOW, invoice, line

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8)
CENTS = st.integers(-(10**15), 10**15)
FEW = settings(max_examples=60, deadline=None)


def _hash(invoices: Sequence[dict[str, Any]]) -> str:
    said = msgspec.convert(invoices, tuple[Invoice, ...])
    return content_hash(from_body(Run("zuora", "BR-1"), said, NOW))


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
def test_the_order_of_invoices_and_lines_makes_no_difference(run: list[dict[str, Any]], random: random.Random) -> None:
    other = [{**one, "lines": random.sample(one["lines"], len(one["lines"]))} for one in run]
    random.shuffle(other)
    assert _hash(run) == _hash(other)


@FEW
@given(runs(), st.data())
def test_one_cent_anywhere_changes_it(run: list[dict[str, Any]], data: st.DataObject) -> None:
    parts = [*run, *(each for one in run for each in one["lines"])]
    before = _hash(run)
    part = data.draw(st.sampled_from(parts))
    field = "total" if "total" in part else data.draw(st.sampled_from(["amount", "tax"]))
    part[field] = _money(int(part[field].replace(".", "")) + 1)
    assert _hash(run) != before


@FEW
@given(CENTS, st.integers(0, 2))
def test_zeros_behind_a_number_make_no_difference(cents: int, zeros: int) -> None:
    said = _money(cents)
    assert _hash([invoice(total=said)]) == _hash([invoice(total=said + "0" * zeros)])
    if said.endswith("0"):
        assert _hash([invoice(total=said)]) == _hash([invoice(total=said[:-1])])


@FEW
@given(st.sampled_from(["id", "name", "subscription_id", "charge_id", "product_code", "tax_code"]), TEXT, TEXT)
def test_another_text_changes_it(field: str, one: str, other: str) -> None:
    same = one == other
    said = [_hash([invoice("INV-1", "ZA-1", line(**{field: text}))]) for text in (one, other)]
    assert (said[0] == said[1]) is same


def test_dates_lines_and_currency_change_it() -> None:
    plain = _hash([invoice()])
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
    assert len({plain, *map(_hash, others)}) == len(others) + 1


def test_a_line_that_moves_to_another_invoice_changes_it() -> None:
    here = [invoice("INV-1", "ZA-1", line("L-1"), line("L-2")), invoice("INV-2", "ZA-1", line("L-3"))]
    there = [invoice("INV-1", "ZA-1", line("L-1")), invoice("INV-2", "ZA-1", line("L-2"), line("L-3"))]
    assert _hash(here) != _hash(there)


def test_texts_do_not_run_into_each_other() -> None:
    one = invoice("INV-1", "ZA-1", line(product_code="ab", name="c"))
    other = invoice("INV-1", "ZA-1", line(product_code="a", name="bc"))
    assert _hash([one]) != _hash([other])


def test_the_hash_is_the_same_on_every_machine() -> None:
    """Verdicts of a year ago are compared with it: whoever changes this value voids every override."""
    lines = [line("L-1", unit_price="0.00000001", quantity="-0.5"), line("L-2", None, tax=None, name="Ünï\ncode")]
    said = _hash([invoice("INV-1", "ZA-1", *lines, total="-20000.10"), invoice("INV-2", lines=[])])
    assert said == "sha256:f981100e1cec78096a1c7ddd13dc70cb225509a3eba4c4000d5b954fa67d9478"
