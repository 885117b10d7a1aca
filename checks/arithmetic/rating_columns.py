"""Rating in SQL: the same as `rating`, over a table of quantities and a table of tiers, to select candidates."""

import ibis
import ibis.expr.types as ir

from books.money import product
from checks.arithmetic.rating import Blocks, Bounds, Model

EXACT = "decimal(38, 8)"
_MILLIONTHS = 1_000_000  # quantities have six decimals


def rated(rows: ir.Table, tiers: ir.Table, bounds: Bounds = Bounds.INCLUSIVE, blocks: Blocks = Blocks.UP) -> ir.Table:
    """`rows` with `rated`, decimal(38,8): what their `quantity` costs; null where the price does not say.

    `rows` has `id` (unique), `price_id`, `model`, `quantity`, and of the whole price `included`, `minimum`, `maximum`
    and `overage`, each of which may be null. `tiers` has `price_id`, `tier` (their order), `up_to`, `price`, `flat`
    and `block` (null: none). A row without tiers is not rated.
    """
    order = ibis.window(group_by=tiers.price_id, order_by=tiers.tier)
    tiers = tiers.select(
        "up_to", "price", "flat", "block", tier_of=tiers.price_id,
        place=ibis.row_number().over(order),
        below=tiers.up_to.lag().over(order).fill_null(0),
        is_last=tiers.tier.lead().over(order).isnull(),
    )  # fmt: skip
    joined = rows.inner_join(tiers, rows.price_id == tiers.tier_of)
    joined = joined.mutate(charged=ibis.greatest(joined.quantity - joined.included.fill_null(0), 0).cast(EXACT))
    joined = joined.mutate(cost=_cost(joined, bounds, blocks), above=_above(joined, bounds))
    summed = joined.group_by(rated_id="id").agg(
        tiered=joined.cost.sum(), is_open=joined.above.isnull().any(), above=joined.above.sum()
    )
    both = rows.left_join(summed, rows.id == summed.rated_id)
    bare = both.is_open.fill_null(False).ifelse(ibis.null(EXACT), (both.tiered + both.above).cast(EXACT))
    bounded = ibis.least(
        ibis.greatest(bare, both.minimum.fill_null(0).cast(EXACT)), both.maximum.cast(EXACT).fill_null(_huge())
    )
    return both.mutate(rated=bare.isnull().ifelse(ibis.null(EXACT), bounded).cast(EXACT)).drop(*summed.columns)


def _cost(row: ir.Table, bounds: Bounds, blocks: Blocks) -> ir.DecimalValue:
    """What one tier adds."""
    charged, below, up_to = row.charged, row.below.cast(EXACT), row.up_to.cast(EXACT)
    is_above = charged > below
    if bounds is Bounds.EXCLUSIVE:
        is_above = is_above | ((row.place > 0) & (charged == below))
    fits = up_to.isnull() | (charged <= up_to if bounds is Bounds.INCLUSIVE else charged < up_to)
    within = (ibis.least(charged, up_to.fill_null(_huge())) - below).cast(EXACT)
    flat = row.flat.fill_null(0).cast(EXACT)
    some = (charged > 0).ifelse(flat, 0)
    is_first = row.place == 0
    cost = ibis.cases(
        (row.model == Model.FLAT.value, is_first.ifelse(row.price.cast(EXACT) + flat, 0)),
        (
            row.model.isin((Model.GRADUATED.value, Model.PACKAGE.value)),
            is_above.ifelse(_times(within, row, blocks) + flat, 0),
        ),
        (
            row.model == Model.VOLUME.value,
            (is_above & fits & (charged > 0)).ifelse(_times(charged, row, blocks) + flat, 0),
        ),
        else_=is_first.ifelse(_times(charged, row, blocks) + some, 0),
    )
    return cost.cast(EXACT)


def _above(row: ir.Table, bounds: Bounds) -> ir.DecimalValue:
    """What lies above a last tier that ends; null where the price does not say what it costs."""
    charged, up_to = row.charged, row.up_to.cast(EXACT)
    is_volume = row.model == Model.VOLUME.value
    is_over = charged > up_to
    if bounds is Bounds.EXCLUSIVE:
        is_over = is_over | (is_volume & (charged == up_to))
    is_tiered = row.model.isin((Model.GRADUATED.value, Model.PACKAGE.value, Model.VOLUME.value))
    over = is_volume.ifelse(charged, charged - up_to).cast(EXACT)
    cost = product(over, row.overage.cast(EXACT)).cast(EXACT)
    nothing = ibis.literal(0).cast(EXACT)
    return (is_tiered & row.is_last & is_over.fill_null(False)).ifelse(cost, nothing)


def _times(units: ir.DecimalValue, row: ir.Table, blocks: Blocks) -> ir.DecimalValue:
    """units × price, or blocks × price where the price is for a block."""
    block = row.block.fill_null(1)
    small, size = (units * _MILLIONTHS).cast("int64"), (block * _MILLIONTHS).cast("int64")
    if blocks is Blocks.EXACT:
        count = (small / size).cast(EXACT)
    else:
        over = small % size
        # A multiple divided by its factor: a double is exact enough, once it is rounded.
        whole = ((small - over) / size).round().cast("int64")
        begun = (over > 0).cast("int64") if blocks is Blocks.UP else 0
        count = (whole + begun).cast(EXACT)
    return product(row.block.isnull().ifelse(units, count), row.price).cast(EXACT)


def _huge() -> ir.DecimalValue:
    return ibis.literal("1000000000000000000000000").cast(EXACT)
