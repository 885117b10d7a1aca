"""Usage that stands on two live invoice lines: the same event, or days that were billed before.

An event that feeds a second line is known from what the billing platform says of each line (`billed_usage`). Where it
says nothing, two lines of one period whose days overlap have billed some of them twice, as far as both together come
to more than was used: the meter was not set back after an invoice within the period. Lines that take each other back
do not count.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.facts import billed, metered
from checks.relation import Relation
from checks.rows import collected, reference

_QUANTITY = metered.QUANTITY


def _fed(books: Books) -> ir.Table:
    """Invoice lines with events that an earlier line has billed: `repeated`, their quantity; `events`, `firsts`."""
    fed = books.table("billed_usage", "billing")
    fed = fed.mutate(same=ibis.coalesce(fed.event_id, fed.usage_key)).filter(lambda t: t.same.notnull())
    line = metered.BILLED.table
    line = line.anti_join(billed.repairs(), [("b_system", "system"), ("b_key", "key")])
    line = line.select("b_system", "b_key", "made_at")
    fed = fed.inner_join(line, [fed.system == line.b_system, fed.invoice_line_key == line.b_key])
    once = fed.group_by("b_system", "b_key", "same", "made_at").agg(quantity=fed.quantity.max(), usage=fed.key.min())
    several = once.group_by("b_system", "same").agg(n=once.count()).filter(lambda t: t.n > 1)
    once = once.semi_join(several, ["b_system", "same"])
    order = ibis.window(group_by=[once.b_system, once.same], order_by=[once.made_at, once.b_key])
    ranked = once.mutate(rank=ibis.row_number().over(order), first=once.b_key.first().over(order))
    again = ranked.filter(ranked["rank"] > 0)
    return again.group_by("b_system", "b_key").agg(
        repeated=again.quantity.sum().cast(_QUANTITY),
        times=again.count(),
        seen=collected(reference(again.b_system, "billed_usage", again.usage)),
        firsts=collected(reference(again.b_system, "invoice_lines", again["first"])),
    )


FED = Relation("usage_fed_twice", _fed)


def _overlapping(_: Books) -> ir.Table:
    """Periods of metered lines with bills whose days overlap and whose quantities come to more than was used.

    `b_key` is the bill that was made last, `firsts` the others.
    """
    line = metered.BILLED.table
    line = line.anti_join(billed.repairs(), [("b_system", "system"), ("b_key", "key")])
    line = line.anti_join(FED.table, ["b_system", "b_key"]).filter(lambda t: t.quantity > 0)
    order = ibis.window(group_by=[line[name] for name in metered.KEY], order_by=[line.since, line.until, line.b_key])
    reached = ibis.window(
        group_by=[line[name] for name in metered.KEY], order_by=[line.since, line.until, line.b_key],
        preceding=(None, 1),
    )  # fmt: skip
    line = line.mutate(rank=ibis.row_number().over(order), before=line.until.max().over(reached))
    other_days = line.group_by(*metered.KEY).agg(
        overlaps=(line.since < line.before).any(),
        day_sets=line.since.nunique() + line.until.nunique(),
        billed_quantity=line.quantity.sum().cast(_QUANTITY),
        b_key=line.b_key.last(order_by=[line.made_at, line.until, line.b_key]),
        b_system=line.b_system.max(),
        firsts=collected(reference(line.b_system, "invoice_lines", line.b_key)),
    )
    period = metered.PERIODS.table.select(*metered.KEY, "in_time")
    both = other_days.inner_join(period, list(metered.KEY))
    # Bills of the very same days are one bill and what came later; their sum is compared by another check.
    is_other = both.overlaps.fill_null(False) & (both.day_sets > 2)
    return both.filter(is_other & (both.billed_quantity > both.in_time)).select(
        *metered.KEY, "b_system", "b_key", "in_time", "firsts"
    )


OVERLAPPING = Relation("usage_days_twice", _overlapping)


def concerned() -> ir.Table:
    """(system, key, n): the periods that the check on usage billed twice answers for."""
    fed = FED.table
    line = metered.BILLED.table.semi_join(fed, ["b_system", "b_key"])
    return line.select(*metered.KEY).union(OVERLAPPING.table.select(*metered.KEY)).distinct()
