"""Usage of a period that has ended is on no invoice, although the next one has been made.

Why it matters: usage that arrives after the run falls between two periods. Most platforms roll it forward by
themselves; where they do not, nobody ever asks for it.

Usual cause: a meter delivers with days of delay, the run was made before the last events arrived, or the usage charge
of the period was left out of the run.

How to fix: load the events again with the period's dates, or bill them with a line of their own on the next invoice.
Where it happens every month, move the bill run behind the meter's delay.

What it is not: late usage whose next invoice is still to come, late usage that the next invoice holds among its own or
with the period's days, or usage that an included quantity pays for.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import days_later, midnight
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
from checks.facts import metered, usage_rated
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, reference, some


def find(books: Books, params: Params) -> ir.Table:
    """Periods with usage that was received after their invoices were made, or that no invoice bills at all."""
    rows = usage_rated.rated_periods(params)
    rows = of_customers(books, rows.filter(rows.events > 0))
    rows = rows.cross_join(books.request.select("target_date"))
    rows = rows.filter(rows.until <= rows.target_date)
    open_ = rows.late - rows.carried_on
    off = rows.filter((open_ > half_unit(rows.currency)).fill_null(True) | rows.rated_all.isnull())
    off = usage_rated.with_tiers(_with_events(off), params)
    next_end = metered.cycle(off).boundary(off.n + 2)
    decided = ibis.coalesce(off.next_made_at, midnight(days_later(next_end, params.whole("settle_days"))))
    is_lost = metered.cycle(off).boundary(off.n + 3) <= off.target_date
    return candidates(
        off,
        "subscription_lines",
        "used",
        "in_time",
        "unbilled",
        *usage_rated.PRICE_COLUMNS,
        subject=off.key,
        period=(off.since, off.until),
        evidence=_seen(off),
        fails_from=decided,
        known_at=ibis.greatest(decided, off.last_received),
        kind=is_lost.ifelse(MoneyKind.LEAK.value, MoneyKind.TIMING.value),
        product=ibis.coalesce(off.name, off.product_code, "usage"),
        carried=off.carried_on,
    )


def _seen(off: ir.Table) -> ir.ArrayValue:
    """The line, its bills, and the first of the late events."""
    own = ibis.array([reference(off.system, "subscription_lines", off.key), off.late_event])
    return own.concat(some(off.lines))


def _with_events(off: ir.Table) -> ir.Table:
    """With one event that came late, and the bills of the period."""
    event = metered.EVENTS.table
    event = event.inner_join(off.select(*metered.KEY, "made_at"), list(metered.KEY))
    is_late = event.made_at.isnull() | (event.received_at > event.made_at)
    event = event.filter(is_late & ~event.is_heartbeat)
    first = event.group_by(*metered.KEY).agg(
        late_event=reference(event.e_system, "usage_events", event.e_key).first(
            order_by=[event.received_at, event.e_key]
        ),
    )
    line = metered.BILLED.table.semi_join(off, list(metered.KEY))
    bills = line.group_by(*metered.KEY).agg(lines=collected(reference(line.b_system, "invoice_lines", line.b_key)))
    both = off.left_join(first, list(metered.KEY)).drop(*(f"{name}_right" for name in metered.KEY))
    both = both.left_join(bills, list(metered.KEY)).drop(*(f"{name}_right" for name in metered.KEY))
    return both.mutate(unbilled=both.bills.isnull())


CHECK = Check(
    id="usage_after_cutoff_unbilled",
    doc=__doc__,
    pattern=Pattern.TIME_BOUNDARIES,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(
        *usage_rated.NEEDS,
        Need("invoice_lines", "billing"),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        *usage_rated.SETTINGS,
        Setting("settle_days", 2, "Where the next invoice was never made: days after its day until that is certain."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    worked={
        "rated": usage_rated.shown("used"),
        "rated_in_time": usage_rated.shown("in_time", unless="unbilled"),
    },
    arithmetic=Arithmetic.of("rated", "rated_in_time + carried"),
    message=(
        "{used} units of {product} were used from {period_start} to {period_end}; {amount} {currency} of them are on "
        "no invoice, though the next one has been made."
    ),
    find=find,
)
