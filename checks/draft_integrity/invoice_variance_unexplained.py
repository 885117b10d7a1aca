"""An invoice line differs from the one of the period before by more than anything that is known explains.

Why it matters: a mistake that fits no other rule still shows as a jump. The customer sees it first, and asks.

Usual cause: a quantity or a price was typed over, a part period was cut by other days than before, a meter counted
twice, or a change that nobody entered as one.

How to fix: find what changed since the period before. If it was agreed, enter the amendment; if not, correct the
draft, or credit what has been posted.

What it is not: the first invoice of a line, a period of another length or an annual one among months, a change that the
schedules know (more units, another price, a step, a renewal), or lines that take each other back: all of that is put in
first, and only what is left is judged. What another record explains is explained: a line with contract terms is
contract_terms_vs_billing's, usage that a meter counts usage_vs_invoice_mismatch's, what a commitment leaves to pay
commit_shortfall_unbilled's, and seats that are counted seat_overage_unbilled's. Other usage may move by half of what it
was. An invoice of two and a half times the one before needs no rule of its own: some line of it is then off by more
than half, which is reported, or is new.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import FOREVER, days, overlap
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
from checks.facts import billed, metered, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference

LINE = ("system", "line_of", "currency")
EXACT = "decimal(38, 8)"
_TERMS = (
    "before", "rate_now", "scheduled_now", "days_now", "rate_before", "scheduled_before", "days_before",
)  # fmt: skip
_GUARD = 1e-13


def find(books: Books, params: Params) -> ir.Table:
    """Drafted periods whose amount is apart from that of the period before, known causes put in."""
    rows = _explained(books, _beside_the_last(_periods(books, _unaccounted(books))))
    limit = rows.is_usage.ifelse(
        ibis.literal(params.decimal("usage_share")).cast("decimal(18, 4)"),
        ibis.literal(params.decimal("fixed_share")).cast("decimal(18, 4)"),
    )
    # In floating point to select: the guard is less than the minor unit of a trillion, and more than what it errs by.
    of = {name: rows[name].cast("float64") for name in (*_TERMS, "amount")}
    a_day = of["before"] * of["rate_now"] * of["scheduled_before"]
    a_day = a_day / (of["rate_before"] * of["scheduled_now"] * of["days_before"])
    expected = a_day * of["days_now"]
    days_off = rows.is_whole.ifelse(0, params.whole("partial_days"))
    slack = half_unit(rows.currency).cast("float64") * 2 + a_day * days_off
    off = rows.filter((expected - of["amount"]).abs() > expected * (limit.cast("float64") + _GUARD) + slack)
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
        billed=off.amount,
        **{name: off[name] for name in _TERMS},
    )


def _unaccounted(books: Books) -> ir.Table:
    """Billed lines of which no contract, commitment, meter, count of seats or list of work says what they come to."""
    line = billed.LINES.table
    agreed = terms.LINES.table.filter(lambda t: t.charge_type == "recurring").select(a_line="key")
    counted = books.table("entitlements", "seats").select(e_line="contract_line_key").distinct()
    has_meter = metered.PERIODS.table.select("system", line_of="key").distinct()
    usage = line.filter(line.s_charge_type.fill_null("recurring") == "usage")
    usage = usage.anti_join(counted, usage.contract_line_key == counted.e_line)
    worked = books.table("work_items", "work").select(w_line="contract_line_key").distinct()
    usage = usage.anti_join(worked, usage.contract_line_key == worked.w_line)
    usage = usage.anti_join(has_meter, ["system", "line_of"])
    agreement = books.table("contract_lines", "crm").filter(lambda t: t.commit_amount > 0).select(k_line="key")
    usage = usage.anti_join(agreement, usage.contract_line_key == agreement.k_line)
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

    A rate is quantity × price, summed over the `scheduled` days; 1 where usage is rated. Periods of whole months count
    as months, others as days.
    """
    both = _with_rate(books, rows, "now", "since", "until")
    both = _with_rate(books, both, "before", "last_since", "last_until")
    months = _months(both.since, both.until)
    last_months = _months(both.last_since, both.last_until)
    whole = months.notnull() & last_months.notnull()
    return both.mutate(
        is_whole=whole,
        days_now=whole.ifelse(months, days(both.since, both.until)).cast("decimal(18, 0)"),
        days_before=whole.ifelse(last_months, days(both.last_since, both.last_until)).cast("decimal(18, 0)"),
    ).filter(lambda t: (t.rate_now > 0) & (t.rate_before > 0))


def _months(since: ir.DateValue, until: ir.DateValue) -> ir.IntegerValue:
    """How many months the days are, null where they are not whole ones."""
    count = (until.year() - since.year()) * 12 + until.month() - since.month()
    return ((since.day() == until.day()) & (count > 0)).ifelse(count, ibis.null("int64"))


def _with_rate(books: Books, rows: ir.Table, name: str, since: str, until: str) -> ir.Table:
    """`rows` with the rate of the schedules on their days (`rate_<name>`), and over how many (`scheduled_<name>`)."""
    schedule = books.table("billing_schedules", "billing").select(
        c_system="system", c_line="subscription_line_key", c_start="start_date", c_end="end_date",
        c_quantity="quantity", c_price="unit_price",
    )  # fmt: skip
    asked = rows.select("system", "key", "line_of", first=since, end=until)
    both = asked.left_join(schedule, [asked.system == schedule.c_system, asked.line_of == schedule.c_line])
    starts, ends = both.c_start.fill_null(both["first"]), both.c_end.fill_null(FOREVER)
    shared = overlap(both["first"], both.end, starts, ends).cast("decimal(18, 0)")
    a_day = product(both.c_quantity.fill_null(1), both.c_price.fill_null(1))
    of_row = both.mutate(part=product(a_day, shared)).group_by(r_system="system", r_key="key")
    summed = of_row.agg(rate=lambda t: t.part.sum().cast(EXACT))
    joined = rows.inner_join(summed, [rows.system == summed.r_system, rows.key == summed.r_key])
    count = days(joined[since], joined[until])
    is_usage = joined.is_usage
    return joined.mutate(
        **{
            f"rate_{name}": is_usage.ifelse(ibis.literal(1).cast(EXACT), joined.rate),
            f"scheduled_{name}": is_usage.ifelse(1, count).cast("decimal(18, 0)"),
        }
    ).drop("r_system", "r_key", "rate")


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
        *(need.where_filled() for need in metered.NEEDS),
        Need("entitlements", "seats").where_filled(),
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
        "before * rate_now * scheduled_before * days_now / (rate_before * scheduled_now * days_before)",
        "billed",
        "abs(expected - actual)",
    ),
    message=(
        "{product} on invoice {number} comes to {billed} {currency} for {period_start} to {period_end}; the period "
        "before, with all that is known to have changed, makes it {expected}."
    ),
    find=find,
)
