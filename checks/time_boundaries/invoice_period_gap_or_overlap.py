"""The periods that a subscription line was invoiced for do not join: days between them are on no invoice, or on two.

Why it matters: a few days at a time are lost or charged twice, at every customer whose dates were moved, and no total
shows it.

Usual cause: a bill day was changed without a part period between the old and the new one, an invoice was made by hand
with dates of its own, or a rerun began on another day.

How to fix: bill the missing days on a line of their own, or take the days that were billed twice off the draft; credit
them where the invoice has been posted.

What it is not: lines that take each other back, a change within the period (the credit, the new charge and a charge
for the difference are counted together against the quantity in force), days on which the subscription was paused or
free, or what a credit memo has given back. A gap has one owner: a due period that no line touches at all is
missing_expected_invoice, days without a schedule are subscription_line_without_schedule, and the same days billed
again for the same amount duplicate_invoice_line.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, CycleColumns, days, days_later
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
from checks.facts import coverage, credits, subscribed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference

LINE = coverage.LINE
PIECE = (*LINE, "since")


def find(books: Books, params: Params) -> ir.Table:
    """Stretches between two billed ones that no line bills, and such as are billed for more than is in force."""
    rows = _with_lines(of_customers(books, _off(books)))
    rows = credits.with_credits(books, rows, PIECE, rows.select(*PIECE, "currency", invoice="invoice_key"))
    off_days = days(rows.since, rows.until)
    own = listed(reference(rows.system, "subscription_lines", rows.line_of))
    return candidates(
        rows,
        "invoice_lines",
        "number",
        "product",
        state=rows.is_gap.ifelse("on no invoice", "billed more than once"),
        subject=rows.line_of,
        period=(rows.since, rows.until),
        evidence=rows.around.concat(own).concat(rows.memos),
        invoice=rows.invoice_key,
        line=rows.key,
        known_at=rows.is_gap.ifelse(rows.modified_at, ibis.null(rows.modified_at.type())),
        quantity=rows.off_quantity,
        unit_price=rows.unit_price,
        price_months=rows.price_months,
        gap_days=rows.is_gap.ifelse(off_days, 0),
        overlap_days=rows.is_gap.ifelse(0, off_days),
        year_days=ibis.literal(params.whole("year_days")),
        credited=rows.is_gap.ifelse(ibis.literal(0).cast(rows.credited.type()), rows.credited),
    )


def _off(books: Books) -> ir.Table:
    """Stretches that are off, cut to the schedules in force, with the quantity by which they are."""
    stretch = coverage.STRETCHES.table.filter(lambda t: t.until.notnull())
    stretch = stretch.rename(billed_quantity="quantity")
    line = subscribed.LINES.table.select(
        s_system="system", s_key="key", account_key="account_key", currency="currency", number="number",
        product=ibis.coalesce(subscribed.LINES.table.name, subscribed.LINES.table.product_code, "a line"),
        s_quantity="quantity", s_price="unit_price", price_months="price_months", billing_months="billing_months",
        began=ibis.coalesce(subscribed.LINES.table.term_start, subscribed.LINES.table.start_date),
        bill_day="bill_day", s_start="start_date", free_until="free_until", modified_at="modified_at",
    )  # fmt: skip
    known = stretch.inner_join(line, [stretch.system == line.s_system, stretch.line_of == line.s_key])
    known = known.filter((known.charges == 0) | (known.net > 1))
    both = _in_force(books, known.mutate(is_gap=known.charges == 0))
    both = both.mutate(
        off_quantity=both.is_gap.ifelse(both.quantity.fill_null(1), both.billed_quantity - both.quantity.fill_null(0))
    )
    both = both.filter((both.since < both.until) & (both.off_quantity > 0))
    gaps = both.filter(both.is_gap)
    return ibis.union(both.filter(~both.is_gap), *(piece.select(*both.columns) for piece in _beside_whole(gaps)))


def _in_force(books: Books, stretch: ir.Table) -> ir.Table:
    """Each stretch once per schedule that it meets, cut to it; a line without any schedule speaks for itself."""
    schedule = books.table("billing_schedules", "billing")
    schedule = schedule.select(
        c_system="system", c_line="subscription_line_key", c_start="start_date",
        c_end=schedule.end_date.fill_null(FOREVER), c_quantity="quantity", c_price="unit_price",
    )  # fmt: skip
    joined = stretch.left_join(schedule, [stretch.system == schedule.c_system, stretch.line_of == schedule.c_line])
    free = joined.free_until.fill_null(joined.since)
    return joined.mutate(
        since=ibis.greatest(
            joined.since, joined.c_start.fill_null(joined.since), joined.is_gap.ifelse(free, joined.since)
        ),
        until=ibis.least(joined.until, joined.c_end.fill_null(FOREVER)),
        quantity=ibis.coalesce(joined.c_quantity, joined.s_quantity),
        unit_price=ibis.coalesce(joined.c_price, joined.s_price),
    )


def _beside_whole(gap: ir.Table) -> tuple[ir.Table, ...]:
    """What is left of a gap before and after the whole billing periods in it, which are another check's."""
    cycle = CycleColumns.of(gap.began, gap.bill_day, gap.billing_months)
    first, last = cycle.index(days_later(gap.since, -1)) + 1, cycle.index(gap.until)
    gap = gap.mutate(first_whole=cycle.boundary(first), last_whole=cycle.boundary(last), holds=first < last)
    before = gap.filter(gap.holds).mutate(until=gap.first_whole)
    after = gap.filter(gap.holds).mutate(since=gap.last_whole)
    pieces = (gap.filter(~gap.holds), before, after)
    return tuple(piece.filter(piece.since < piece.until) for piece in pieces)


def _with_lines(off: ir.Table) -> ir.Table:
    """`off` with the later invoice line that it lies beside, and all of those as evidence."""
    line = coverage.lines().select(
        *LINE, "key", "invoice_key", "invoice_date", "status", i_number="number", b_since="since", b_until="until"
    )
    both = off.select(*PIECE, "until", "is_gap").inner_join(line, list(LINE))
    beside = (both.b_since <= both.until) & (both.since <= both.b_until)
    meets = (both.b_since < both.until) & (both.since < both.b_until)
    both = both.filter(both.is_gap.ifelse(beside, meets))
    order = [both.b_since, both.status == "draft", both.invoice_date, both.key]
    found = both.group_by(PIECE).agg(
        key=both.key.last(order_by=order),
        invoice_key=both.invoice_key.last(order_by=order),
        around=collected(reference(both.system, "invoice_lines", both.key)),
    )
    return off.inner_join(found, list(PIECE))


CHECK = Check(
    id="invoice_period_gap_or_overlap",
    doc=__doc__,
    pattern=Pattern.TIME_BOUNDARIES,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*coverage.NEEDS, *subscribed.NEEDS[:2], *credits.NEEDS, *CUSTOMER_NEEDS),
    settings=(Setting("year_days", 365, "Days by which a year's amount is divided into a daily rate."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of(
        "quantity * unit_price * 12 / price_months * gap_days / year_days",
        "max(0, quantity * unit_price * 12 / price_months * overlap_days / year_days - credited)",
    ),
    message=(
        "{product} of {number} is {state} from {period_start} to {period_end}: {quantity} units for that time come to "
        "{amount} {currency}."
    ),
    find=find,
)
