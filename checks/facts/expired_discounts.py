"""Billed periods that are lower than the terms by what a discount would take off that had ended before they began."""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import overlap
from checks.facts import contract_periods, discounts
from checks.relation import Relation

KEY = contract_periods.KEY


def _periods(_: Books) -> ir.Table:
    """One row per period of `contract_periods.APART`: `discount`, its name, and `ended_on`.

    Either one discount explains the difference, or all that have ended do together.
    """
    rows = contract_periods.APART.table
    rows = rows.filter(contract_periods.off_by(rows) & rows.apart.notnull() & (rows.apart > 0))
    less = discounts.PIECES.table.rename(row_until="until")
    granted = discounts.GRANTED.table.select("name", d_system="g_system", d_key="g_key").distinct()
    period = rows.select(*KEY, "since", "until")
    piece = period.inner_join(less, period.contract_line_key == less.base_key).filter(lambda t: t.ends <= t.since)
    piece = piece.inner_join(granted, [piece.g_system == granted.d_system, piece.g_key == granted.d_key])
    days = overlap(piece.since, piece.until, piece.begins, piece.row_until).cast("decimal(18, 0)")
    piece = piece.mutate(value=product(product(piece.quantity, piece.unit_price), days))
    wanted = {"had": piece.value.sum().cast(contract_periods.EXACT), "ended_on": piece.ends.max(),
              "discount": piece.name.fill_null("discount").max()}  # fmt: skip
    one = piece.group_by(*KEY, "g_system", "g_key").agg(**wanted).drop("g_system", "g_key")
    had = one.union(piece.group_by(KEY).agg(**wanted))
    joined = rows.inner_join(had, list(KEY))
    months = joined.months.cast("decimal(18, 0)")
    joined = joined.mutate(apart=joined.apart + product(joined.had, months))
    same = joined.filter(~contract_periods.off_by(joined)).select(*KEY, "discount", "ended_on")
    place = ibis.row_number().over(
        group_by=[same[name] for name in KEY], order_by=[same.ended_on.desc(), same.discount]
    )
    return same.mutate(place=place).filter(lambda t: t.place == 0).drop("place")


PERIODS = Relation("periods_discounted_late", _periods)
