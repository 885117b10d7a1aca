"""An invoice line differs from the one of the period before by more than anything that is known explains.

Why it matters: a mistake that fits no other rule still shows as a jump. The customer sees it first, and asks.

Usual cause: a quantity or a price was typed over, a part period was cut by other days than before, a meter counted
twice, or a change that nobody entered as one.

How to fix: find what changed since the period before. If it was agreed, enter the amendment; if not, correct the
draft, or credit what has been posted.

What it is not: the first invoice of a line, a period of another length or an annual one among months, a change that
the schedules know (more units, another price, a step, a renewal), or lines that take each other back: all of that is
put in first, and only what is left is judged. What another record explains is explained: a line with contract terms is
contract_terms_vs_billing's, usage that a meter counts usage_vs_invoice_mismatch's, and seats that are counted
seat_overage_unbilled's. Other usage may move by half of what it was.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import half_unit
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
from checks.facts import billed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

LINE = ("system", "line_of", "currency")
EXACT = "decimal(38, 8)"


def find(books: Books, params: Params) -> ir.Table:
    """Drafted periods whose amount is apart from that of the period before, known causes put in."""
    rows = _explained(books, _beside_the_last(_periods(books, _unaccounted(books))))
    limit = rows.is_usage.ifelse(
        ibis.literal(params.decimal("usage_share")).cast("decimal(18, 4)"),
        ibis.literal(params.decimal("fixed_share")).cast("decimal(18, 4)"),
    )
    # expected = before × rate_now × days_now ÷ (rate_before × days_before); compared without a division.
    expected = product(product(rows.before, rows.rate_now), rows.days_now)
    scale = product(rows.rate_before, rows.days_before)
    apart = (expected - product(rows.amount, scale)).abs()
    days_off = rows.is_whole.ifelse(0, params.whole("partial_days")).cast("decimal(18, 0)")
    slack = product(half_unit(rows.currency) * 2, scale) + product(product(rows.before, rows.rate_now), days_off)
    off = rows.filter(apart > product(expected.abs(), limit) + slack)
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product",
        subject=off.line_of + "/variance",
        period=(off.since, off.until),
        evidence=listed(
            reference(off.system, "invoice_lines", off.key),
            reference(off.system, "invoice_lines", off.last_key),
            reference(off.system, "subscription_lines", off.line_of),
        ),
        invoice=off.invoice_key,
        line=off.key,
        before=off.before,
        rate_now=off.rate_now,
        rate_before=off.rate_before,
        days_now=off.days_now,
        days_before=off.days_before,
        billed=off.amount,
    )


def _unaccounted(books: Books) -> ir.Table:
    """Billed lines of which no contract, meter, count of seats or list of work says what they must come to."""
    line = billed.LINES.table
    agreed = terms.LINES.table.filter(lambda t: t.charge_type == "recurring").select(a_line="key")
    counted = books.table("entitlements", "seats").select(e_line="contract_line_key").distinct()
    metered = books.table("usage_events", "usage").select(u_account="account_key").distinct()
    usage = line.filter(line.s_charge_type.fill_null("recurring") == "usage")
    usage = usage.anti_join(counted, usage.contract_line_key == counted.e_line)
    worked = books.table("work_items", "work").select(w_line="contract_line_key").distinct()
    usage = usage.anti_join(worked, usage.contract_line_key == worked.w_line)
    usage = usage.anti_join(metered, usage.account_key == metered.u_account)
    fixed = line.filter(line.s_charge_type.fill_null("recurring") == "recurring")
    return fixed.anti_join(agreed, fixed.contract_line_key == agreed.a_line).union(usage)


def _periods(books: Books, line: ir.Table) -> ir.Table:
    """One row per line and billed period: what its lines come to together, repairs and changes within it netted."""
    line = of_customers(books, line)
    line = line.filter(line.kind.isin(("recurring", "usage", "credit")) & line.line_of.notnull() & line.since.notnull())
    line = line.anti_join(billed.REPEATED.table, ["system", "key"])
    line = line.mutate(is_usage=line.s_charge_type.fill_null("recurring") == "usage", is_draft=line.status == "draft")
    order = [line.is_draft, line.invoice_date, line.key]
    # The lines of one period end on the same day, however it was changed within.
    return line.group_by(*LINE, "until").agg(
        since=line.since.min(),
        amount=line.amount.sum().cast("decimal(38, 4)"),
        is_usage=line.is_usage.any(),
        is_draft=line.is_draft.any(),
        account_key=line.account_key.max(),
        product=ibis.coalesce(line.name, line.product_code, line.line_of).max(),
        **{name: line[name].last(order_by=order) for name in ("key", "invoice_key", "number")},
    )


def _beside_the_last(period: ir.Table) -> ir.Table:
    """Drafted periods with the one before of the same line."""
    order = ibis.window(group_by=[period[name] for name in LINE], order_by=[period.until])
    before = {name: period[name].lag().over(order) for name in ("amount", "since", "until", "key")}
    both = period.mutate(**{f"last_{name}": value for name, value in before.items()})
    both = both.filter(both.is_draft & both.last_amount.notnull() & (both.last_amount > 0))
    return both.mutate(before=both.last_amount)


def _explained(books: Books, rows: ir.Table) -> ir.Table:
    """`rows` with the rate and the days of both periods, as the schedules have them on their days.

    A rate is quantity × price, 1 where usage is rated. Periods of whole months count as months, others as days.
    """
    now = _rates(books, rows, "since", "until").rename(rate_now="rate", i_key="key")
    last = _rates(books, rows, "last_since", "last_until").rename(rate_before="rate", j_key="key")
    both = rows.inner_join(now, rows.key == now.i_key).inner_join(last, rows.key == last.j_key)
    months = _months(both.since, both.until)
    last_months = _months(both.last_since, both.last_until)
    whole = months.notnull() & last_months.notnull()
    one = ibis.literal(1).cast(EXACT)
    return both.mutate(
        is_whole=whole,
        rate_now=both.is_usage.ifelse(one, both.rate_now),
        rate_before=both.is_usage.ifelse(one, both.rate_before),
        days_now=whole.ifelse(months, days(both.since, both.until)).cast("decimal(18, 0)"),
        days_before=whole.ifelse(last_months, days(both.last_since, both.last_until)).cast("decimal(18, 0)"),
    ).filter(lambda t: (t.rate_now > 0) & (t.rate_before > 0))


def _months(since: ir.DateValue, until: ir.DateValue) -> ir.IntegerValue:
    """How many months the days are, null where they are not whole ones."""
    count = (until.year() - since.year()) * 12 + until.month() - since.month()
    return ((since.day() == until.day()) & (count > 0)).ifelse(count, ibis.null("int64"))


def _rates(books: Books, rows: ir.Table, since: str, until: str) -> ir.Table:
    """Per row the mean rate of the schedules on its days, times its days: quantity × price × days, by `key`."""
    schedule = books.table("billing_schedules", "billing").select(
        c_system="system", c_line="subscription_line_key", c_start="start_date", c_end="end_date",
        c_quantity="quantity", c_price="unit_price",
    )  # fmt: skip
    asked = rows.select("system", "key", "line_of", first=since, end=until)
    both = asked.left_join(schedule, [asked.system == schedule.c_system, asked.line_of == schedule.c_line])
    shared = ibis.greatest(
        days(
            ibis.greatest(both["first"], both.c_start.fill_null(both["first"])),
            ibis.least(both.end, both.c_end.fill_null(FOREVER)),
        ),
        0,
    )
    rate = product(product(both.c_quantity.fill_null(1), both.c_price.fill_null(1)), shared.cast("decimal(18, 0)"))
    total = both.mutate(part=rate, whole=days(both["first"], both.end))
    summed = total.group_by("key").agg(part=total.part.sum(), whole=total.whole.max())
    mean = (summed.part.cast("float64") / summed.whole.cast("float64")).round(6).cast(EXACT)
    return summed.select("key", rate=mean)


CHECK = Check(
    id="invoice_variance_unexplained",
    doc=__doc__,
    pattern=Pattern.DRAFT_INTEGRITY,
    severity=Severity.S3,
    owners=(Owner.BILLING_OPS, Owner.FINANCE_OPS),
    mode=Mode.WARN,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        *billed.NEEDS,
        *(need.where_filled() for need in terms.LINE_NEEDS),
        Need("entitlements", "seats").where_filled(),
        Need("usage_events", "usage").where_filled(),
        Need("work_items", "work").where_filled(),
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting("fixed_share", Decimal("0.02"), "What recurs is fixed; two percent is more than day counts differ by."),
        Setting("partial_days", 1, "A part of a month is cut by its own days, which another month counts otherwise."),
        Setting("usage_share", Decimal("0.5"), "Usage moves by itself; half as much again is worth a look."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of(
        "before * rate_now * days_now / (rate_before * days_before)", "billed", "abs(expected - actual)"
    ),
    message=(
        "{product} on invoice {number} comes to {billed} {currency} for {period_start} to {period_end}; the period "
        "before, with all that is known to have changed, makes it {expected}."
    ),
    find=find,
)
