"""A line of an active subscription has billing schedules that stop before its term does, or none at all.

Why it matters: the platform invoices schedules, not subscriptions. From the day on which the schedules stop, the
line is shown as active and is never billed.

Usual cause: a renewal or an extension moved the end of the subscription but not that of its charges, or a schedule
was ended for a change whose second half never came.

How to fix: extend the schedule, or add one, up to the end of the line's term, then bill the days that have passed.

What it is not: a line that is billed by usage or once, an evergreen line that is scheduled up to today, free days,
days at either end that were already billed, or days between a suspension and what was resumed after it.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, days
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import paused, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, reference, some

BEGINNING = ibis.date(1900, 1, 1)


def find(books: Books, params: Params) -> ir.Table:
    """Active recurring lines with days between their start and their end that no schedule covers.

    The end is the contract line's where the line has one, else the line's own or its subscription's. A line
    without an end must be scheduled up to the day that is asked about.
    """
    line = subscribed.LINES.table
    line = line.filter((line.status == "active") & (line.charge_type.fill_null("recurring") == "recurring"))
    rows = _with_end(of_customers(books, line))
    bare = _not_paused(books, _bare(books))
    rows = rows.left_join(bare, [rows.system == bare.b_system, rows.key == bare.b_line]).cross_join(books.request)
    free = ibis.greatest(rows.start_date, rows.free_until.fill_null(rows.start_date))
    # Being billed through a day excuses what lies at the ends; it says nothing of a hole between two schedules.
    billed = rows.is_hole.fill_null(False).ifelse(free, rows.charged_through.fill_null(free))
    since = ibis.greatest(free, rows.bare_from.fill_null(free), billed)
    end = (rows.ends == FOREVER).ifelse(rows.target_date, rows.ends)
    until = ibis.least(end, rows.bare_to.fill_null(FOREVER))
    off = _summed(rows.mutate(since=since, until=until).filter(lambda t: t.since < t.until))
    off = _with_schedules(books, off)
    own = ibis.array([reference(off.system, "subscription_lines", off.key)])
    return candidates(
        off,
        "subscription_lines",
        "number",
        "name",
        subject=off.key,
        period=(off.since, ibis.null("date")),
        evidence=own.concat(some(off.schedules)),
        known_at=off.modified_at,
        quantity=off.quantity,
        unit_price=off.unit_price,
        price_months=off.price_months,
        uncovered_days=off.uncovered_days,
        year_days=ibis.literal(params.whole("year_days")),
    )


def _with_end(line: ir.Table) -> ir.Table:
    agreed = terms.LINES.table.select(g_key="key", g_ends="ends_on", g_cancelled="cancelled_on")
    joined = line.left_join(agreed, line.contract_line_key == agreed.g_key)
    of_contract = ibis.least(joined.g_ends, joined.g_cancelled)
    of_billing = ibis.coalesce(joined.end_date, joined.term_end, ibis.literal(FOREVER))
    in_term = ibis.least(joined.term_end.fill_null(FOREVER), joined.cancelled_date.fill_null(FOREVER))
    return joined.mutate(ends=ibis.least(of_contract.fill_null(of_billing), in_term))


def _bare(books: Books) -> ir.Table:
    """Per line the stretches [bare_from, bare_to) that its schedules leave out: before, after and (holes) between."""
    known = books.table("billing_schedules", "billing")
    known = known.select(
        b_system="system", b_line="subscription_line_key", starts="start_date", ends=known.end_date.fill_null(FOREVER)
    )
    earlier = ibis.window(group_by=["b_system", "b_line"], order_by=["starts", "ends"], preceding=(None, 1))
    covered = known.mutate(covered=known.ends.max().over(earlier).fill_null(BEGINNING))
    between = covered.filter(covered.starts > covered.covered)
    between = between.select(
        "b_system", "b_line", bare_from="covered", bare_to="starts", is_hole=between.covered > BEGINNING
    )
    after = known.group_by("b_system", "b_line").agg(bare_from=known.ends.max())
    return between.union(after.mutate(bare_to=FOREVER, is_hole=False))


def _not_paused(books: Books, bare: ir.Table) -> ir.Table:
    """`bare` without the holes in which the line was suspended."""
    off = paused.spans(books)
    same = [bare.b_system == off.p_system, bare.b_line == off.p_line, bare.bare_from == off.paused, bare.is_hole]
    return bare.anti_join(off, same)


def _summed(bare: ir.Table) -> ir.Table:
    """One row per line: its first bare day, and how many there are."""
    line = ["system", "key", "account_key", "currency", "number", "name", "modified_at"]
    return bare.group_by([*line, "quantity", "unit_price", "price_months"]).agg(
        since=bare.since.min(), uncovered_days=days(bare.since, bare.until).sum()
    )


def _with_schedules(books: Books, line: ir.Table) -> ir.Table:
    known = books.table("billing_schedules", "billing")
    known = known.group_by(c_system="system", c_line="subscription_line_key").agg(
        schedules=collected(reference(known.system, "billing_schedules", known.key)),
    )
    return line.left_join(known, [line.system == known.c_system, line.key == known.c_line])


CHECK = Check(
    id="subscription_line_without_schedule",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        *subscribed.NEEDS,
        Need("billing_schedules", "billing"),
        *paused.NEEDS,
        *(need.where_filled() for need in terms.LINE_NEEDS),
        *CUSTOMER_NEEDS,
    ),
    settings=(Setting("year_days", 365, "Days by which a year's amount is divided into a daily rate."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("billing_schedules", "billing"),
    arithmetic=Arithmetic.of("quantity * unit_price * 12 / price_months * uncovered_days / year_days", "0"),
    message=(
        "{name} of the active subscription {number} has no billing schedule from {period_start} on: "
        "{uncovered_days} days come to {amount} {currency}."
    ),
    find=find,
)
