"""Invoiced amounts per billing period of a contract line, beside what the terms come to for the same days.

All recurring lines of a period belong together: the first charge, and the credit and the new charge after a change
within the period. Lines that repeat another are left out, since their own check reports them.

A line whose days are whole billing periods by its own first day stands for itself; any other belongs to the period
of its subscription's cycle that holds its first day.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import FOREVER, CycleColumns, days, days_later, midnight, overlap
from checks.contract import Arithmetic
from checks.facts import billed, credits, discounts, superseded, terms
from checks.relation import Relation
from checks.rows import collected, reference, some

KEY = ("contract_line_key", "period_start")
PARTIAL_DAYS = 3  # 30-day months, actual months and days of the year put a part of a period up to so many days apart
ARITHMETIC = Arithmetic.of(
    "(quantity * unit_price * days + added) * months / (price_months * period_days)",
    "billed * rate",
    "expected - actual + min(credited, max(0, actual - expected))",
)
EXACT = "decimal(38, 8)"
_FLOAT = "float64"


def _lines(_: Books) -> ir.Table:
    """Recurring invoice lines of recurring contract lines, each with its billing period."""
    line = billed.LINES.table
    line = line.filter(
        line.kind.isin(("recurring", "discount", "credit"))
        & (line.s_charge_type.fill_null("recurring") == "recurring")
        & line.since.notnull()
    )
    line = line.rename(b_currency="currency").drop("product_code").anti_join(billed.REPEATED.table, ["system", "key"])
    agreed = terms.LINES.table.filter(lambda t: t.charge_type == "recurring").select(
        "product_code", g_key="key", timing="billing_timing", g_currency="currency", cancelled_on="cancelled_on"
    )
    line = line.inner_join(agreed, line.contract_line_key == agreed.g_key)
    line = line.mutate(
        currency=ibis.coalesce(line.g_currency, line.b_currency),
        cancelled=ibis.least(line.cancelled_on, line.s_cancelled_date.fill_null(FOREVER)),
        own_months=CycleColumns.of(line.since, ibis.null("int64"), ibis.literal(1)).index(line.until),
    )
    own = CycleColumns.of(line.since, ibis.null("int64"), ibis.literal(1))
    is_whole = (own.boundary(line.own_months) == line.until) & (line.own_months % line.cycle_months == 0)
    cycle = CycleColumns.of(line.cycle_began, line.cycle_bill_day, line.cycle_months)
    line = line.mutate(
        is_whole=is_whole & (line.own_months > 0),
        first=cycle.index(line.since),
        last=cycle.index(days_later(line.until, -1)),
    )
    cycle = CycleColumns.of(line.cycle_began, line.cycle_bill_day, line.cycle_months)
    a_day = (line.amount.cast("float64") / ibis.greatest(days(line.since, line.until), 1)).cast("decimal(38, 8)")
    placed = line.mutate(
        period_start=line.is_whole.ifelse(line.since, cycle.boundary(line.first)),
        period_end=line.is_whole.ifelse(line.until, cycle.boundary(line.last + 1)),
        months=line.is_whole.ifelse(line.own_months, (line.last - line.first + 1) * line.cycle_months),
        part_a_day=line.is_whole.ifelse(0, a_day),
    )
    return placed.select(
        *KEY, "system", "key", "account_key", "invoice_key", "number", "status", "invoice_date", "product_code",
        "amount", "b_currency", "currency", "timing", "since", "until", "cancelled", "period_end", "months",
        "part_a_day",
    )  # fmt: skip


LINES = Relation("period_lines", _lines)


def _billed(books: Books) -> ir.Table:
    """One row per contract line and billing period that was invoiced.

    `billed` is in the invoices' currency with `rate` into the contract's (`currency`); both null where a rate is
    unknown. [`since`, `until`) are the days billed, cut where the line or its subscription was cancelled
    (`is_cancelled`). `part_a_day` is what a day of the lines costs that bill only a part of a period.
    """
    rated = fx.with_rate(books, LINES.table, "b_currency", "currency", "invoice_date")
    one_rate = (rated.rate.min() == rated.rate.max()) & (rated.b_currency.min() == rated.b_currency.max())
    total = fx.converted(rated.amount, rated.rate).sum().cast(EXACT)
    unknown = rated.rate.isnull().any()
    grouped = rated.group_by(KEY).agg(
        **{name: rated[name].max() for name in ("currency", "timing", "period_end", "months")},
        since=rated.since.min(),
        billed_to=rated.until.max(),
        cancelled=rated.cancelled.min(),
        billed=unknown.ifelse(ibis.null(EXACT), one_rate.ifelse(rated.amount.sum().cast(EXACT), total)),
        rate=unknown.ifelse(ibis.null("decimal(24, 8)"), one_rate.ifelse(rated.rate.max(), 1)),
        lines=rated.count(),
        part_a_day=rated.part_a_day.sum().abs(),
    )
    until = ibis.greatest(ibis.least(grouped.billed_to, grouped.cancelled), grouped.since)
    return grouped.mutate(
        is_cancelled=grouped.billed_to > grouped.cancelled,
        until=until,
        days=days(grouped.since, until),
        period_days=days(grouped.period_start, grouped.period_end),
    ).drop("billed_to", "cancelled")


BILLED = Relation("billed_periods", _billed)


def _suspected(_: Books) -> ir.Table:
    """Billed periods that may differ from the terms: in floating point, nearer than the rounding that is allowed."""
    rows = BILLED.table
    joined = with_rows(rows)
    share = joined.r_quantity.cast(_FLOAT) * joined.r_price.cast(_FLOAT) * joined.shared / joined.r_months
    expected = joined.group_by(KEY).agg(a_month=share.sum())
    both = rows.inner_join(expected, list(KEY))
    apart = both.a_month * both.months / both.period_days - both.billed.cast(_FLOAT) * both.rate.cast(_FLOAT)
    guard = half_unit(both.currency).cast(_FLOAT) * both.lines * 0.8
    off = both.filter((apart.abs() > guard).fill_null(True)).drop("a_month")
    # What was made from a schedule that has been replaced has a check of its own.
    replaced = superseded.LINES.table.select("system", "line_of", "since")
    line = billed.LINES.table.select("system", "key", "line_of", "since")
    named = line.semi_join(replaced, ["system", "line_of", "since"]).select("system", "key")
    return off.anti_join(LINES.table.semi_join(named, ["system", "key"]).select(*KEY), list(KEY))


SUSPECTED = Relation("periods_suspected", _suspected)


def _apart(_: Books) -> ir.Table:
    """Billed periods that differ from the terms by more than rounding, or cannot be compared, with those terms.

    `quantity` at `unit_price` for `price_months` holds on all `days`; `added` is quantity × price × days of what
    holds on some of them, or at another price: changes within the period, and components of a bundle. `last_start`
    is the latest beginning of anything that counts. `apart` ÷ `scale` is expected − billed.
    """
    rows = SUSPECTED.table
    rows = rows.inner_join(_agreed(rows), list(KEY))
    scale = product(rows.price_months, rows.period_days)
    value = product(product(rows.quantity, rows.unit_price), rows.days) + rows.added
    apart = product(value, rows.months) - product(product(rows.billed, rows.rate), scale)
    rows = rows.mutate(apart=apart, scale=scale, rounding=(half_unit(rows.currency) * rows.lines).cast(EXACT))
    return rows.filter((rows.apart.abs() > product(rows.rounding, rows.scale)).fill_null(True))


def off_by(rows: ir.Table, partial_days: int = PARTIAL_DAYS) -> ir.BooleanValue:
    """Whether periods of APART are further off than rounding and day counts explain; true where nobody can say."""
    slack = rows.rounding + (rows.part_a_day * partial_days).cast(rows.rounding.type())
    return (rows.apart.abs() > product(slack, rows.scale)).fill_null(True)


def shown(off: ir.Table) -> dict[str, ir.Value]:
    """What a finding on a period of APART says, once `with_records` has been added: the terms of ARITHMETIC, and when.

    A change within a period that was billed in advance is billed with the next one.
    """
    changes_later = (off.timing.fill_null("advance") != "arrears") & (off.last_start > off.since)
    names = ("quantity", "unit_price", "days", "added", "months", "price_months", "period_days", "billed", "rate")
    return {
        "fails_from": changes_later.ifelse(midnight(off.period_end), ibis.null("timestamp('UTC', 6)")),
        "evidence": off.invoiced.concat(off.agreed).concat(off.memos),
        "credited": off.credited,
        **{name: off[name] for name in names},
    }


def with_rows(rows: ir.Table) -> ir.Table:
    """`rows` with each contract row that may count in them, and for how many of their days it does (`shared`).

    A discount is a row with a negative price, and `weight` what it multiplies the row's own price by; else `weight`
    is 1.
    """
    row = terms.PRICED.table.mutate(weight=ibis.literal(1).cast("decimal(24, 8)"))
    wanted = (
        "base_key", "own_key", "row_key", "begins", "rise", "risen_on", "weight", "r_until", "r_quantity", "r_price",
        "r_months",
    )  # fmt: skip
    names = {"r_until": "until", "r_quantity": "quantity", "r_price": "unit_price", "r_months": "price_months"}
    period = rows.select(*KEY, "since", "until", "days")
    row = row.rename(names)
    joined = period.inner_join(row, period.contract_line_key == row.base_key)
    joined = joined.select(*KEY, "since", "until", "days", *wanted)
    less = discounts.PIECES.table.rename(names)
    reduced = period.inner_join(less, period.contract_line_key == less.base_key)
    reduced = reduced.filter((reduced.starts <= reduced.since) & (reduced.since < reduced.ends))
    both = joined.union(reduced.select(*joined.columns))
    return both.mutate(shared=overlap(both.since, both.until, both.begins, both.r_until))


def _agreed(rows: ir.Table) -> ir.Table:
    joined = with_rows(rows)
    line = terms.LINES.table.select(l_price="unit_price", l_months="price_months", l_key="key")
    joined = joined.inner_join(line, joined.contract_line_key == line.l_key)
    of_period = ibis.window(group_by=[joined[name] for name in KEY])
    # The price of the whole period: the line's own, or the one that it has risen to or that its ramp has reached.
    is_whole = (joined.shared == joined.days) & (joined.r_months == joined.l_months)
    holds = is_whole & (joined.weight == 1)
    nothing = ibis.null("decimal(24, 8)")
    own = (holds & (joined.row_key == joined.contract_line_key)).ifelse(joined.r_price, nothing)
    any_ = holds.ifelse(joined.r_price, nothing)
    price = ibis.coalesce(own.max().over(of_period), any_.max().over(of_period), joined.l_price)
    joined = joined.mutate(unit_price=price, price_months=joined.l_months)
    is_plain = (joined.r_price == joined.unit_price) & is_whole & (joined.weight == 1).fill_null(False)
    part = product(product(joined.r_quantity, joined.r_price), joined.shared)
    is_mixed = (joined.shared > 0) & (joined.r_months != joined.price_months)
    return joined.group_by(KEY).agg(
        unit_price=joined.unit_price.max(),
        price_months=joined.price_months.max(),
        quantity=is_plain.ifelse(joined.r_quantity, 0).sum().cast("decimal(38, 6)"),
        added=is_mixed.any().ifelse(ibis.null(EXACT), is_plain.ifelse(0, part).sum().cast(EXACT)),
        last_start=(joined.shared > 0).ifelse(joined.begins, ibis.null("date")).max(),
    )


APART = Relation("periods_apart", _apart)


def with_records(books: Books, off: ir.Table) -> ir.Table:
    """`off`, some periods of APART, with the invoice line and invoice that stand for each, evidence and credits."""
    line = LINES.table.semi_join(off, list(KEY))
    order = [line.status == "draft", line.invoice_date, line.key]
    newest = {name: line[name].last(order_by=order) for name in ("system", "key", "invoice_key", "number")}
    said = line.group_by(KEY).agg(
        **newest,
        account_key=line.account_key.max(),
        product_code=line.product_code.max(),
        invoiced=collected(reference(line.system, "invoice_lines", line.key)),
    )
    row = terms.PRICED.table.select("base_key", "row_key", "begins", r_system="system", r_until="until")
    period = off.select(*KEY, "since", "until")
    held = period.inner_join(row, period.contract_line_key == row.base_key)
    held = held.filter(overlap(held.since, held.until, held.begins, held.r_until) > 0)
    agreed = held.group_by(KEY).agg(agreed=collected(reference(held.r_system, "contract_lines", held.row_key)))
    both = off.inner_join(said, list(KEY)).left_join(agreed, list(KEY))
    both = both.mutate(agreed=some(both.agreed)).drop("contract_line_key_right", "period_start_right")
    named = line.select(*KEY, "system", "currency", invoice="invoice_key").distinct()
    return credits.with_credits(books, both, KEY, named)
