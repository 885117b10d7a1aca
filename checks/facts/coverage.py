"""Which days of a subscription line its invoices cover, and how often: stretches between the days it changes on."""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.facts import billed
from checks.relation import Relation

NEEDS: tuple[Need, ...] = billed.NEEDS
LINE = ("system", "line_of")
_QUANTITY = "decimal(38, 6)"


def lines() -> ir.Table:
    """Recurring invoice lines with their days; what repeats another line is left out, which its own check reports."""
    line = billed.LINES.table
    line = line.filter(
        line.kind.isin(("recurring", "credit"))
        & (line.s_charge_type.fill_null("recurring") == "recurring")
        & line.line_of.notnull()
        & (line.since < line.until)
    )
    return line.anti_join(billed.REPEATED.table, ["system", "key"])


def _stretches(_: Books) -> ir.Table:
    """One row per line and stretch [`since`, `until`): `until` is null after the last day that is billed.

    `charges` counts the lines that bill the days; `net` subtracts those that take them back, and `quantity` is
    what they come to together.
    """
    line = lines()
    sign = (line.amount < 0).ifelse(-1, 1)
    quantity = (line.quantity.fill_null(0).abs() * sign).cast(_QUANTITY)
    charge = (line.amount >= 0).cast("int64")
    begins = line.select(*LINE, day=line.since, charges=charge, net=sign, quantity=quantity)
    ends = line.select(*LINE, day=line.until, charges=-charge, net=-sign, quantity=(-quantity).cast(_QUANTITY))
    both = begins.union(ends)
    turns = both.group_by(*LINE, "day").agg(
        charges=both.charges.sum(), net=both.net.sum(), quantity=both.quantity.sum().cast(_QUANTITY)
    )
    so_far = ibis.cumulative_window(group_by=[turns[name] for name in LINE], order_by=[turns.day])
    of_line = ibis.window(group_by=[turns[name] for name in LINE], order_by=[turns.day])
    return turns.select(
        *LINE,
        since="day",
        until=turns.day.lead().over(of_line),
        charges=turns.charges.sum().over(so_far),
        net=turns.net.sum().over(so_far),
        quantity=turns.quantity.sum().over(so_far).cast(_QUANTITY),
    )


STRETCHES = Relation("billed_stretches", _stretches)
