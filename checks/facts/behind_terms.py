"""Billed periods whose amount is that of terms which have been left behind: before a rise, or an earlier ramp step.

They are periods that differ from the terms in force, and come to the cent to what the same days would have cost had
billing stopped following: at the price before one of the uplifts, or at the quantity, the price or both of an earlier
step of the ramp.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.facts import contract_periods, terms
from checks.relation import Relation

KEY = contract_periods.KEY
RISE, STEP = "rise", "step"


def _periods(_: Books) -> ir.Table:
    """One row per period of `contract_periods.APART` that is explained so.

    `left_behind` is RISE or STEP, `changed_on` the day of the first change that billing does not know, `price_before`
    and `quantity_before` are what it goes on with, null where it is not one of them.
    """
    rows = contract_periods.APART.table
    rows = rows.filter(contract_periods.off_by(rows) & rows.apart.notnull())
    found = _before_a_rise(rows).union(_before_a_step(rows))
    order = [found.left_behind, found.changed_on.desc()]
    place = ibis.row_number().over(group_by=[found[name] for name in KEY], order_by=order)
    return found.mutate(place=place).filter(lambda t: t.place == 0).drop("place")


PERIODS = Relation("periods_behind", _periods)


def _before_a_rise(rows: ir.Table) -> ir.Table:
    """Had billing taken only the first `taken` rises of every row."""
    piece = contract_periods.with_rows(rows).filter(lambda t: t.shared > 0)
    most = piece.group_by(KEY).agg(most=piece.rise.max()).filter(lambda t: t.most > 0)
    piece = piece.inner_join(most, list(KEY))
    piece = piece.mutate(taken=ibis.range(0, piece.most).unnest())
    piece = piece.mutate(at_rise=ibis.least(piece.rise, piece.taken))
    price = terms.PRICED.table
    old = price.select(o_row="row_key", o_rise="rise", o_price="unit_price")
    missed = price.select(n_row="row_key", n_rise="rise", n_on="risen_on")
    piece = piece.inner_join(old, [piece.row_key == old.o_row, piece.at_rise == old.o_rise])
    piece = piece.left_join(missed, [piece.row_key == missed.n_row, piece.taken + 1 == missed.n_rise])
    weighed = product(piece.o_price, piece.weight)
    piece = piece.mutate(at_price=piece.weight.isnull().ifelse(piece.r_price.cast(weighed.type()), weighed))
    is_own = (piece.row_key == piece.contract_line_key) & (piece.weight == 1).fill_null(False)
    had = piece.group_by(*KEY, "taken").agg(
        had=product(product(piece.r_quantity, piece.at_price), piece.shared).sum().cast(contract_periods.EXACT),
        changed_on=piece.n_on.min(),
        price_before=ibis.coalesce(
            is_own.ifelse(piece.o_price, ibis.null("decimal(24, 8)")).max(), piece.o_price.max()
        ),
    )
    return _alike(rows, had.mutate(quantity_before=ibis.null("decimal(38, 6)")), RISE)


def _before_a_step(rows: ir.Table) -> ir.Table:
    """Had billing stayed at an earlier step of the ramp, with its quantity, its price, or both."""
    piece = contract_periods.with_rows(rows).filter(lambda t: t.shared > 0)
    line = terms.LINES.table.filter(lambda t: t.segment_key.notnull())
    here = line.select("segment", "start_date", w_key="key")
    piece = piece.mutate(is_own=piece.own_key == piece.row_key)
    piece = piece.left_join(here, piece.own_key == here.w_key).drop("w_key")
    step = terms.ROWS.table.select("base_key", e_key="own_key").distinct()
    said = line.select(early_step="segment", early_quantity="quantity", early_price="unit_price", l_key="key")
    step = step.inner_join(said, step.e_key == said.l_key)
    period = rows.select(*KEY)
    early = period.inner_join(step, period.contract_line_key == step.base_key)
    early = early.select(*KEY, "early_step", "early_quantity", "early_price")
    both = piece.inner_join(early, list(KEY))
    later = both.segment.notnull() & (both.segment > both.early_step)
    # Changes of a later step are not known where the step itself is not.
    was = later.ifelse(both.is_own.ifelse(both.early_quantity, 0), both.r_quantity)
    quantity, price = was, later.ifelse(both.early_price, both.r_price)
    parts = [
        _had(both, later, quantity, price, True, True),
        _had(both, later, both.r_quantity, price, False, True),
        _had(both, later, quantity, both.r_price, True, False),
    ]
    had = parts[0].union(*parts[1:])
    return _alike(rows, had, STEP)


def _had(
    both: ir.Table,
    later: ir.BooleanValue,
    quantity: ir.DecimalValue,
    price: ir.DecimalValue,
    of_quantity: bool,
    of_price: bool,
) -> ir.Table:
    rows = both.mutate(
        value=product(product(quantity, price), both.shared),
        on=later.ifelse(both.start_date, ibis.null("date")),
    )
    summed = rows.group_by(*KEY, "early_step").agg(
        had=rows.value.sum().cast(contract_periods.EXACT),
        changed_on=rows.on.min(),
        price_before=rows.early_price.max() if of_price else ibis.null("decimal(24, 8)"),
        quantity_before=rows.early_quantity.max().cast("decimal(38, 6)")
        if of_quantity
        else ibis.null("decimal(38, 6)"),
    )
    return summed.filter(summed.changed_on.notnull())


def _alike(rows: ir.Table, had: ir.Table, left_behind: str) -> ir.Table:
    """Periods whose billed amount is `had`, quantity × price × days, but for rounding and day counts."""
    joined = rows.inner_join(had, list(KEY))
    apart = product(joined.had, joined.months) - product(product(joined.billed, joined.rate), joined.scale)
    joined = joined.mutate(apart=apart, left_behind=ibis.literal(left_behind))
    return joined.filter(~contract_periods.off_by(joined)).select(
        *KEY, "left_behind", "changed_on", "price_before", "quantity_before"
    )
