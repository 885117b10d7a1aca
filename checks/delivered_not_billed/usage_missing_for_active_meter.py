"""A metered subscription is active and was used before, and for the period that has ended no usage arrived.

Why it matters: a meter that has gone quiet bills nothing, and looks like a customer who used nothing.

Usual cause: a collector was switched off in a deployment, a credential of the pipeline ran out, or the customer's
identifier changed at the meter.

How to fix: ask the owner of the meter whether it runs. Deliver the missing events before the invoice is made, or bill
an estimate. A meter that sends a heartbeat is never taken for a silent one.

What it is not: a customer who really used nothing, whose meter sends heartbeats or events of zero; one whose usage
comes only now and then, with silences as long as this one; or a line that began or ended in the period.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import days, days_later, midnight
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
)
from checks.facts import metered, usage_rated
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, reference

_LINE = ("system", "key")


def find(books: Books, params: Params) -> ir.Table:
    """Lines whose meter has said nothing in the last period that ended, by the last period that was used."""
    line = _ended(books)
    heard = _heard()
    rows = line.inner_join(heard, list(_LINE))
    # The period must be longer than any silence that is usual for the meter.
    silent = days(rows.last_day, rows.follows)
    usual = ibis.greatest(rows.longest_gap, params.whole("least_days"))
    rows = rows.filter((rows.last_n < rows.n) & (silent > usual))
    rows = rows.filter(rows.heard_periods >= params.whole("least_periods"))
    before = usage_rated.with_rated(usage_rated.PERIODS.table, params, used="rated_all")
    before = before.filter(before.events > 0)
    last = ibis.row_number().over(group_by=[before[name] for name in _LINE], order_by=before.n.desc())
    before = before.mutate(last=last).filter(lambda t: t["last"] == 0).rename(used_n="n", was_since="since")
    wanted = (
        *_LINE, "used", "used_n", "was_since", "price_id", "model", "included", "minimum", "maximum", "overage",
        "currency", "account_key", "name", "product_code",
    )  # fmt: skip
    off = usage_rated.with_tiers(rows.inner_join(before.select(wanted), list(_LINE)), params)
    return candidates(
        off,
        "subscription_lines",
        "used",
        "was_since",
        "last_day",
        *usage_rated.PRICE_COLUMNS,
        subject=off.key,
        period=(off.begins, off.follows),
        evidence=ibis.array(
            [reference(off.system, "subscription_lines", off.key), reference(off.e_system, "usage_events", off.e_key)]
        ),
        fails_from=midnight(days_later(off.follows, params.whole("settle_days"))),
        known_at=midnight(off.follows),
        product=ibis.coalesce(off.name, off.product_code, "usage"),
    )


def _ended(books: Books) -> ir.Table:
    """Active lines with the last period [`begins`, `follows`) that has ended, where they cover all of it."""
    line = metered.LINES.table
    line = of_customers(books, line.filter(line.status.fill_null("active") == "active"))
    line = line.cross_join(books.request.select("target_date"))
    line = line.mutate(n=metered.cycle(line).index(line.target_date) - 1)
    cycle = metered.cycle(line)
    line = line.mutate(begins=cycle.boundary(line.n), follows=cycle.boundary(line.n + 1))
    line = line.filter((line.starts <= line.begins) & (line.follows <= line.ends))
    return line.select(*_LINE, "n", "begins", "follows")


def _heard() -> ir.Table:
    """Per line: the last day and event that was heard, the longest silence before it, and in how many periods."""
    event = metered.EVENTS.table
    day = event.group_by(*_LINE, "day").agg(n=event.n.max())
    of_line = ibis.window(group_by=[day.system, day.key], order_by=day.day)
    day = day.mutate(gap=days(day.day.lag().over(of_line), day.day))
    heard = day.group_by(*_LINE).agg(
        last_day=day.day.max(),
        last_n=day.n.max(),
        heard_periods=day.n.nunique(),
        longest_gap=day.gap.max().fill_null(0),
    )
    newest = event.group_by(*_LINE).agg(
        e_key=event.e_key.last(order_by=[event.happened_at, event.e_key]),
        e_system=event.e_system.max(),
    )
    return heard.inner_join(newest, list(_LINE))


CHECK = Check(
    id="usage_missing_for_active_meter",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*usage_rated.NEEDS, *CUSTOMER_NEEDS),
    settings=(
        *usage_rated.SETTINGS,
        Setting("settle_days", 0, "Days after the period within which its events may still arrive."),
        Setting("least_days", 7, "Silences up to a week are usual: many meters rest at weekends and on holidays."),
        Setting("least_periods", 2, "Usage of one period alone is no habit."),
    ),
    absent_from=Need("usage_events", "usage"),
    worked={"rated": usage_rated.shown("used")},
    arithmetic=Arithmetic.of("rated", "0"),
    message=(
        "No usage of {product} arrived for {period_start} to {period_end}; the meter was last heard on {last_day}. The "
        "period from {was_since} came to {amount} {currency}."
    ),
    find=find,
)
