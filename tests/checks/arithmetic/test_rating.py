"""Prices with tiers: laws that every price obeys, and the SQL form against the Decimal form."""

from decimal import Decimal
from functools import cache
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from books.columns import Kind
from books.engine import Engine, connect
from checks.arithmetic.percentages import Percentage, graduated
from checks.arithmetic.rating import Blocks, Bounds, Model, Price, Tier, rate, rest, true_up
from checks.arithmetic.rating_columns import rated
from checks.errors import ArithmeticFault
from checks.relation import compiled

QUANTITIES = st.decimals(0, Decimal("1e7"), places=6)
WHOLE = st.integers(0, 200).map(Decimal)
PRICES = st.decimals(0, 500, places=6)
MONEY = st.decimals(0, 500, places=4)


@st.composite
def prices(draw: st.DrawFn, *models: Model, quantities: st.SearchStrategy[Decimal] = QUANTITIES) -> Price:
    """Any price; bounds, quantities and blocks collide often."""
    bounds: list[Decimal | None] = [*sorted(draw(st.sets(quantities.filter(bool), max_size=3)))]
    if draw(st.booleans()) or not bounds:
        bounds.append(None)
    tiers = tuple(
        Tier(bound, draw(PRICES), draw(st.sampled_from((Decimal(0), Decimal("12.5")))),
             draw(st.none() | st.sampled_from((Decimal(10), Decimal("0.5"), Decimal(7)))))
        for bound in bounds
    )  # fmt: skip
    minimum = draw(st.none() | MONEY)
    return Price(
        draw(st.sampled_from(models or tuple(Model))),
        tiers,
        draw(st.just(Decimal(0)) | quantities),
        minimum,
        draw(st.none() | MONEY.map(lambda more: more + (minimum or 0))),
        draw(st.none() | PRICES),
        draw(st.sampled_from(Bounds)),
        draw(st.sampled_from((Blocks.UP, Blocks.DOWN))),
    )


def amount(price: Price, quantity: Decimal) -> Decimal | None:
    try:
        return rate(price, quantity).amount
    except ArithmeticFault:
        return None


@settings(max_examples=40)
@given(prices(Model.FLAT, Model.PER_UNIT, Model.GRADUATED, Model.PACKAGE, Model.OVERAGE), QUANTITIES, QUANTITIES)
def test_more_never_costs_less_but_by_volume(price: Price, some: Decimal, more: Decimal) -> None:
    small, large = amount(price, min(some, more)), amount(price, max(some, more))
    assert small is None or large is None or small <= large


@settings(max_examples=40)
@given(prices(), QUANTITIES)
def test_minimum_and_maximum_hold(price: Price, quantity: Decimal) -> None:
    cost = amount(price, quantity)
    if cost is not None:
        assert (price.minimum or 0) <= cost <= (cost if price.maximum is None else price.maximum)


@settings(max_examples=40)
@given(prices(), st.lists(QUANTITIES, min_size=1, max_size=4))
def test_a_period_billed_in_parts_comes_to_the_whole(price: Price, parts: list[Decimal]) -> None:
    """Each invoice rates all usage so far and takes off what was billed."""
    so_far, billed = Decimal(0), Decimal(0)
    whole = amount(price, sum(parts, Decimal(0)))
    for part in parts:
        so_far += part
        if amount(price, so_far) is None:
            return
        billed += rest(price, so_far, billed)
    assert billed == whole


@settings(max_examples=40)
@given(prices(), QUANTITIES)
def test_a_finding_can_show_the_sum(price: Price, quantity: Decimal) -> None:
    if amount(price, quantity) is not None:
        worked = rate(price, quantity).worked
        assert set(worked.terms) == worked.formula.names()
        assert worked.value == rate(price, quantity).amount


def test_the_sum_as_a_person_reads_it() -> None:
    price = Price(
        Model.GRADUATED, (Tier(Decimal(100), Decimal(0)), Tier(None, Decimal(2), Decimal(5))), maximum=Decimal(90)
    )
    worked = rate(price, Decimal(130)).worked
    assert worked.formula.shown(worked.terms) == "min(100 × 0 + 30 × 2 + 5, 90)"
    assert worked.formula.text == "min(units_1 * price_1 + units_2 * price_2 + flat_2, maximum)"


def test_a_quantity_at_the_bound_of_a_tier() -> None:
    tiers = (Tier(Decimal(10), Decimal(5)), Tier(None, Decimal(3), Decimal(20)))
    at = {bounds: rate(Price(Model.VOLUME, tiers, bounds=bounds), Decimal(10)).amount for bounds in Bounds}
    assert at == {Bounds.INCLUSIVE: 50, Bounds.EXCLUSIVE: 50}
    flat = {bounds: rate(Price(Model.GRADUATED, tiers, bounds=bounds), Decimal(10)).amount for bounds in Bounds}
    assert flat == {Bounds.INCLUSIVE: 50, Bounds.EXCLUSIVE: 70}


def test_a_block_that_was_begun() -> None:
    tiers = (Tier(None, Decimal(3), block=Decimal(10)),)
    cost = {blocks: rate(Price(Model.PACKAGE, tiers, blocks=blocks), Decimal(25)).amount for blocks in Blocks}
    assert cost == {Blocks.UP: 9, Blocks.DOWN: 6, Blocks.EXACT: Decimal("7.5")}


def test_what_a_price_does_not_say_is_not_guessed() -> None:
    bare = Price(Model.GRADUATED, (Tier(Decimal(100), Decimal(1)),))
    with pytest.raises(ArithmeticFault, match="ends at 100 units"):
        rate(bare, Decimal(101))
    with pytest.raises(ArithmeticFault, match="rising bounds"):
        Price(Model.VOLUME, (Tier(None, Decimal(1)), Tier(Decimal(5), Decimal(1))))


def test_overage_and_true_up() -> None:
    price = Price(Model.OVERAGE, (Tier(None, Decimal("0.5")),), included=Decimal(1000))
    assert [rate(price, Decimal(q)).amount for q in (999, 1000, 1001)] == [0, 0, Decimal("0.5")]
    assert [true_up(Decimal(100), Decimal(b)) for b in (80, 120)] == [20, 0]


def test_shares_of_amounts() -> None:
    """1 % up to 1,000, then 0.5 % and 2 flat; and an event that crosses the free amount is charged above it."""
    tiers = (Tier(Decimal(1000), Decimal(1)), Tier(None, Decimal("0.5"), Decimal(2)))
    assert graduated(tiers, Decimal(3000)).amount == 22
    crossing = Percentage(Decimal(10), Decimal(1), free_amount=Decimal(150))
    assert crossing.amount([Decimal(100), Decimal(100)]) == 6
    assert Percentage(Decimal(10), Decimal(1)).amount([Decimal(100)]) == 11


COLUMNS = {"quantity": Kind.QUANTITY, "included": Kind.QUANTITY, "minimum": Kind.MONEY, "maximum": Kind.MONEY,
           "overage": Kind.PRICE, "up_to": Kind.QUANTITY, "price": Kind.PRICE, "flat": Kind.MONEY,
           "block": Kind.QUANTITY, "model": Kind.TEXT, "id": Kind.WHOLE, "price_id": Kind.WHOLE,
           "tier": Kind.WHOLE}  # fmt: skip
OF_ROW = ("id", "price_id", "model", "quantity", "included", "minimum", "maximum", "overage")
OF_TIER = ("price_id", "tier", "up_to", "price", "flat", "block")


@cache
def sql(bounds: Bounds, blocks: Blocks) -> str:
    rows, tiers = (
        ibis.table({column: COLUMNS[column].ibis for column in columns}, name=name)
        for name, columns in (("rows", OF_ROW), ("tiers", OF_TIER))
    )
    return compiled(rated(rows, tiers, bounds, blocks))


def in_sql(cases: list[tuple[Price, Decimal]], bounds: Bounds, blocks: Blocks) -> list[Decimal | None]:
    """What DuckDB makes of each price and quantity."""
    rows: list[dict[str, Any]] = []
    tiers: list[dict[str, Any]] = []
    for n, (price, quantity) in enumerate(cases):
        of_price = {
            "included": price.included,
            "minimum": price.minimum,
            "maximum": price.maximum,
            "overage": price.overage,
        }
        rows.append({"id": n, "price_id": n, "model": price.model.value, "quantity": quantity, **of_price})
        for place, tier in enumerate(price.tiers):
            tiers.append({"price_id": n, "tier": place + 1, **vars(tier)})
    tables = {"rows": (rows, OF_ROW), "tiers": (tiers, OF_TIER)}
    with Engine(connect()) as engine:
        for name, (held, columns) in tables.items():
            schema = pa.schema([(column, COLUMNS[column].arrow) for column in columns])
            engine.hold(name, pa.Table.from_pylist(held, schema))
        answer = engine.rows(sql(bounds, blocks))
    return [row["rated"] for row in sorted(answer, key=lambda row: row["id"])]


CASES = st.lists(
    st.tuples(prices(quantities=WHOLE) | prices(), WHOLE | QUANTITIES), min_size=1, max_size=30
)  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(CASES, st.sampled_from(Bounds), st.sampled_from((Blocks.UP, Blocks.DOWN)))
def test_the_sql_form_says_the_same(cases: list[tuple[Price, Decimal]], bounds: Bounds, blocks: Blocks) -> None:
    alike = [(Price(**{**vars(price), "bounds": bounds, "blocks": blocks}), quantity) for price, quantity in cases]
    assert in_sql(alike, bounds, blocks) == [
        None if cost is None else pytest.approx(cost, abs=Decimal("0.0000001"))
        for cost in (amount(*case) for case in alike)
    ]
