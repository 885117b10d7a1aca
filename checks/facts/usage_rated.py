"""What metered usage costs by the price of its line, tier by tier: in SQL to select, and as it is shown.

The tiers of a line are those of the schedule row in force on the first day of the period. A line without tiers has
its own price. The words of a line's `model` are those of `rating.Model`; where it says none, one tier is a price per
unit, and several are not rated.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER
from checks.arithmetic.rating import BLOCK_ROUNDING, TIER_BOUNDS, Blocks, Bounds, Model, Price, Tier, rate
from checks.arithmetic.rating_columns import EXACT, rated
from checks.contract import Need, Params
from checks.errors import ArithmeticFault
from checks.facts import metered
from checks.formula import Worked
from checks.relation import Relation

NEEDS = (*metered.NEEDS, Need("price_tiers", "billing").where_filled())
SETTINGS = (TIER_BOUNDS, BLOCK_ROUNDING)
_WHOLE_PRICE = ("included", "minimum", "maximum", "overage")


def rated_periods(params: Params) -> ir.Table:
    """PERIODS with what their usage costs by the settings in force.

    `rated_all` is the cost of `used`, `rated_in_time` that of `in_time`. `base` is what the bills of the period had to
    come to, nothing where there is none; `late` what came later is worth beside it. `carried` is what the bills of a
    period hold of the late usage of the period before, at most, and `carried_on` what those of the next period hold of
    this one's. `next_made_at` is when the next bill was made.
    """
    return _RATED[_conventions(params)].table


def with_rated(rows: ir.Table, params: Params, **quantities: str) -> ir.Table:
    """`rows` of PERIODS with what quantities cost: `with_rated(…, used="rated_all")` rates the column `used`."""
    return _rated(rows, _conventions(params), **quantities)


def _conventions(params: Params) -> tuple[Bounds, Blocks]:
    return Bounds(params.text("tier_bounds")), Blocks(params.text("block_rounding"))


def _rated(rows: ir.Table, conventions: tuple[Bounds, Blocks], **quantities: str) -> ir.Table:
    rows = rows.mutate(id=_id(rows))
    for quantity, name in quantities.items():
        asked = rows.mutate(quantity=rows[quantity].cast("decimal(38, 6)"))
        answer = rated(asked, TIERS.table, *conventions).select(rated_of="id", **{name: "rated"})
        rows = rows.left_join(answer, [("id", "rated_of")]).drop("rated_of")
    return rows.drop("id")


def _rated_by(bounds: Bounds, blocks: Blocks) -> Relation:
    """The relation of `rated_periods` for one pair of conventions."""

    def define(_: Books) -> ir.Table:
        rows = _rated(PERIODS.table, (bounds, blocks), used="rated_all", in_time="rated_in_time")
        base = rows.bills.isnull().ifelse(ibis.literal(0).cast(EXACT), rows.rated_in_time)
        rows = rows.mutate(base=base, late=ibis.greatest(rows.rated_all - base, 0).cast(EXACT))
        of_line = ibis.window(group_by=[rows.system, rows.key], order_by=rows.n)
        follows = (rows.n.lag().over(of_line) == rows.n - 1).fill_null(False)
        before = follows.ifelse(rows.late.lag().over(of_line), 0)
        surplus = ibis.greatest(rows.bill_amount.fill_null(0) - rows.base, 0)
        rows = rows.mutate(carried=ibis.least(surplus, before).cast(EXACT))
        of_line = ibis.window(group_by=[rows.system, rows.key], order_by=rows.n)
        precedes = (rows.n.lead().over(of_line) == rows.n + 1).fill_null(False)
        carried_on = precedes.ifelse(rows.carried.lead().over(of_line), 0)
        next_made = precedes.ifelse(rows.made_at.lead().over(of_line), ibis.null("timestamp('UTC', 6)"))
        return rows.mutate(carried_on=carried_on.fill_null(0).cast(EXACT), next_made_at=next_made)

    return Relation(f"usage_rated_{bounds.value}_{blocks.value}", define)


def with_tiers(rows: ir.Table, params: Params) -> ir.Table:
    """`rows` of PERIODS with the tiers of their price as a column, for `shown`."""
    tier = TIERS.table
    listed = tier.group_by(t_price="price_id").agg(
        tiers=ibis.struct({name: tier[name] for name in ("up_to", "price", "flat", "block")}).collect(
            order_by=tier.tier
        )
    )
    both = rows.left_join(listed, rows.price_id == listed.t_price).drop("t_price")
    return both.mutate(
        tier_bounds=ibis.literal(params.text("tier_bounds")),
        block_rounding=ibis.literal(params.text("block_rounding")),
    )


PRICE_COLUMNS = ("model", "tiers", *_WHOLE_PRICE, "tier_bounds", "block_rounding")
"""What a candidate row passes on, so that `shown` can rate its quantities."""


def shown(quantity: str, unless: str | None = None) -> Callable[[Mapping[str, Any]], Worked]:
    """The cost of a row's quantity, by Decimal, with the sum behind it; nothing where the column `unless` is true."""

    def work(row: Mapping[str, Any]) -> Worked:
        if unless is not None and row[unless]:
            return Worked.nothing()
        if row["model"] is None or not row["tiers"] or row[quantity] is None:
            raise ArithmeticFault(f"{row['entity']} {row['key']} of {row['system']} has no price that can be rated.")
        return rate(price_of(row), Decimal(row[quantity])).worked

    return work


def price_of(row: Mapping[str, Any]) -> Price:
    """The price in the columns of a candidate row."""
    tiers = tuple(Tier(t["up_to"], t["price"], t["flat"] or Decimal(0), t["block"]) for t in row["tiers"])
    return Price(
        Model(row["model"]),
        tiers,
        included=row["included"] or Decimal(0),
        minimum=row["minimum"],
        maximum=row["maximum"],
        overage=row["overage"],
        bounds=Bounds(row["tier_bounds"]),
        blocks=Blocks(row["block_rounding"]),
    )


def _id(rows: ir.Table) -> ir.StringValue:
    """What tells the rows apart: the period, and the bill where there is a row for each."""
    period = rows.system + "/" + rows.key + "/" + rows.n.cast("string")
    return period + "/" + rows.b_key if "b_key" in rows.columns else period


def _periods(books: Books) -> ir.Table:
    """Metered periods with `price_id`, the price that applies, and the parts of it that stand on the line."""
    rows = metered.PERIODS.table
    schedule = books.table("billing_schedules", "billing").select(
        c_system="system", c_key="key", c_line="subscription_line_key", c_start="start_date", c_end="end_date"
    )
    tiers = books.table("price_tiers", "billing").filter(lambda t: t.line_version_key.notnull())
    tiers = tiers.group_by(t_system="system", t_version="line_version_key").agg(count=tiers.count())
    held = rows.select(*metered.KEY, "since").inner_join(schedule, [("system", "c_system"), ("key", "c_line")])
    held = held.filter((held.c_start <= held.since) & (held.since < held.c_end.fill_null(FOREVER)))
    held = held.inner_join(tiers, [("system", "t_system"), ("c_key", "t_version")])
    order = [held.c_start, held.c_key]
    price = held.group_by(p_system="system", p_key="key", p_n="n").agg(
        version=held.c_key.last(order_by=order), count=held["count"].last(order_by=order)
    )
    both = rows.left_join(price, [("system", "p_system"), ("key", "p_key"), ("n", "p_n")])
    said = both.model.isin([model.value for model in Model]).ifelse(both.model, ibis.null("string"))
    is_plain = both.model.isnull() & (both["count"].fill_null(1) == 1)
    return both.mutate(
        price_id=both.system + "/" + ibis.coalesce(both.version, "line/" + both.key),
        model=is_plain.ifelse(Model.PER_UNIT.value, said),
        included="included_quantity",
        minimum="minimum_amount",
        maximum="maximum_amount",
        overage=ibis.null("decimal(24, 8)"),
    ).drop("p_system", "p_key", "p_n", "count", "version")


PERIODS = Relation("usage_priced", _periods)


def _tiers(books: Books) -> ir.Table:
    """Tiers by `price_id`: those of schedule rows, and the one price of each line for where it has none."""
    line = metered.LINES.table
    own = line.select(
        price_id=line.system + "/line/" + line.key,
        tier=ibis.literal(1).cast("int64"),
        up_to=ibis.null("decimal(18, 6)"),
        price="unit_price",
        flat=ibis.null("decimal(24, 8)"),
        block="package_size",
    )
    tier = books.table("price_tiers", "billing")
    schedule = books.table("billing_schedules", "billing").select(
        c_system="system", c_key="key", c_line="subscription_line_key"
    )
    size = line.select(z_system="system", z_key="key", block="package_size")
    both = tier.inner_join(schedule, [tier.system == schedule.c_system, tier.line_version_key == schedule.c_key])
    both = both.inner_join(size, [both.c_system == size.z_system, both.c_line == size.z_key])
    listed = both.select(
        price_id=both.system + "/" + both.line_version_key,
        tier="tier",
        up_to="to_quantity",
        price="unit_price",
        flat="flat_amount",
        block="block",
    )
    return listed.union(own)


TIERS = Relation("usage_tiers", _tiers)
_RATED = {(bounds, blocks): _rated_by(bounds, blocks) for bounds in Bounds for blocks in Blocks}
