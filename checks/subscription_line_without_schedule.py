"""A line of an active subscription has billing schedules that stop before its term does, or none at all.

Why it matters: the platform invoices schedules, not subscriptions. From the day on which the schedules stop, the
line is shown as active and is never billed.

Usual cause: a renewal or an extension moved the end of the subscription but not that of its charges, or a schedule
was ended for a change whose second half never came.

How to fix: extend the schedule, or add one, up to the end of the line's term, then bill the days that have passed.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks import subscribed, terms
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.customers import NEEDS as CUSTOMER_NEEDS
from checks.customers import of_customers
from checks.periods import FOREVER, days
from checks.rows import candidates, collected, reference, some


def find(books: Books, params: Params) -> ir.Table:
    """Active recurring lines whose last schedule, or the day they are billed through, lies before their end.

    The end is the contract line's where the line has one, else the line's own or its subscription's. A line
    without an end must be scheduled up to the day that is asked about.
    """
    line = subscribed.LINES.table
    line = line.filter((line.status == "active") & (line.charge_type.fill_null("recurring") == "recurring"))
    rows = _with_schedules(books, _with_end(of_customers(books, line))).cross_join(books.request)
    free = ibis.greatest(rows.start_date, rows.free_until.fill_null(rows.start_date))
    scheduled = ibis.coalesce(rows.scheduled_until, rows.start_date)
    since = ibis.greatest(free, scheduled, rows.charged_through.fill_null(rows.start_date))
    until = (rows.ends == FOREVER).ifelse(rows.target_date, rows.ends)
    off = rows.mutate(since=since, until=until).filter(lambda t: t.since < t.until)
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
        uncovered_days=days(off.since, off.until),
        year_days=ibis.literal(params.whole("year_days")),
    )


def _with_end(line: ir.Table) -> ir.Table:
    agreed = terms.LINES.table.select(g_key="key", g_ends="ends_on", g_cancelled="cancelled_on")
    joined = line.left_join(agreed, line.contract_line_key == agreed.g_key)
    of_contract = ibis.least(joined.g_ends, joined.g_cancelled)
    of_billing = ibis.coalesce(joined.end_date, joined.term_end, ibis.literal(FOREVER))
    in_term = ibis.least(joined.term_end.fill_null(FOREVER), joined.cancelled_date.fill_null(FOREVER))
    return joined.mutate(ends=ibis.least(of_contract.fill_null(of_billing), in_term))


def _with_schedules(books: Books, line: ir.Table) -> ir.Table:
    known = books.table("billing_schedules", "billing")
    known = known.group_by(c_system="system", c_line="subscription_line_key").agg(
        scheduled_until=known.end_date.fill_null(FOREVER).max(),
        schedules=collected(reference(known.system, "billing_schedules", known.key)),
    )
    return line.left_join(known, [line.system == known.c_system, line.key == known.c_line])


CHECK = Check(
    id="subscription_line_without_schedule",
    doc=__doc__,
    pattern="incomplete write",
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        *subscribed.NEEDS,
        Need("billing_schedules", "billing"),
        *(need.where_filled() for need in terms.NEEDS[:2]),
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
