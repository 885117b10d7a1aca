"""Invoice lines that were made from a schedule which another version had replaced for their period.

A line names the schedule row that it billed, or the version. It was superseded where, on the first day of the line's
period, another row with a higher version is in force for the same subscription line. What a line bills for a period
and another takes back for it is netted first.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER
from checks.facts import billed
from checks.relation import Relation

_SAME = ("system", "line_of", "since", "until", "old_key")
_OF_ROW = ("key", "version", "quantity", "unit_price", "price_months", "start_date", "end_date")
_REPLACED = ("superseded", "cancelled", "void")


def _lines(books: Books) -> ir.Table:
    """One row per subscription line, period and superseded schedule row: the last line with what is billed net.

    `old_` and `new_` are the row that was billed and the one in force.
    """
    both = _with_row_in_force(books, _with_row_billed(books, _made(books)))
    order = [both.status == "draft", both.invoice_date, both.key]
    kept = ("key", "account_key", "invoice_key", "number", "currency", "product_code", "contract_line_key", "new_key")
    terms = tuple(f"{side}_{name}" for side in ("old", "new") for name in ("version", "quantity", "unit_price"))
    net = both.group_by(_SAME).agg(
        **{name: both[name].last(order_by=order) for name in kept},
        **{name: both[name].max() for name in terms},
        old_price_months=both.old_price_months.fill_null(1).max(),
        new_price_months=both.new_price_months.fill_null(1).max(),
        billed=both.amount.sum().cast("decimal(38, 8)"),
    )
    # What only takes back was billed from the old row before, for days on which that was right.
    return net.filter(net.billed > 0)


def _made(books: Books) -> ir.Table:
    """Recurring billed lines with the schedule row or the version that they name."""
    line = billed.LINES.table.filter(lambda t: t.line_of.notnull() & t.since.notnull())
    line = line.filter(line.kind.isin(("recurring", "credit")))
    made = books.table("invoice_lines", "billing").select(
        "line_version_key", "schedule_version", m_system="system", m_key="key"
    )
    return line.inner_join(made, [line.system == made.m_system, line.key == made.m_key])


def _with_row_billed(books: Books, line: ir.Table) -> ir.Table:
    """`line` with the schedule row that was billed: the one that it names, else the one of the version that it names.

    A row that was replaced may be kept under a tombstone: what was billed from it still names it.
    """
    row = books.every("billing_schedules", "billing")
    old = row.select("subscription_line_key", o_system="system", **{f"old_{name}": name for name in _OF_ROW})
    by_key = line.inner_join(old, [line.system == old.o_system, line.line_version_key == old.old_key])
    bare = line.filter(line.line_version_key.isnull() & line.schedule_version.notnull())
    by_version = bare.inner_join(
        old,
        [
            bare.system == old.o_system,
            bare.line_of == old.subscription_line_key,
            bare.schedule_version == old.old_version,
        ],
    )
    return by_key.select(*by_version.columns).union(by_version)


def _with_row_in_force(books: Books, line: ir.Table) -> ir.Table:
    """Lines whose billed row another with a higher version has replaced on their first day: the newest of them."""
    row = books.table("billing_schedules", "billing")
    row = row.filter(~row.status.fill_null("active").isin(_REPLACED))
    new = row.select(n_system="system", n_line="subscription_line_key", **{f"new_{name}": name for name in _OF_ROW})
    joined = line.inner_join(
        new,
        [
            line.system == new.n_system,
            line.line_of == new.n_line,
            new.new_start_date <= line.since,
            line.since < new.new_end_date.fill_null(FOREVER),
        ],
    )
    joined = joined.filter((joined.new_key != joined.old_key) & (joined.new_version > joined.old_version))
    newest = ibis.row_number().over(
        group_by=[joined.system, joined.key], order_by=[joined.new_version.desc(), joined.new_key]
    )
    return joined.mutate(newest=newest).filter(lambda t: t.newest == 0)


LINES = Relation("superseded_lines", _lines)
