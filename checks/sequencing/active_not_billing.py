"""The customer uses what its contract promises, and billing has stopped: the subscription is not active there.

Why it matters: the service goes on for as long as nobody looks, and no run will ever expect the money, because for
the billing platform there is nothing to bill.

Usual cause: a cancellation or a suspension was undone in the CRM and in the product but not in billing, the steps
arrived in the wrong order, or a subscription was set up and never activated.

How to fix: resume or activate the subscription from the first day that is not billed, and bill the days that have
passed. If the customer has really left, end the contract and take the access away.

What it is not: a trial, free days, days that were prepaid (billed through), a contract that has ended or was
cancelled, or seats that nobody uses. A gap has one owner: where the subscription is active, a due period without an
invoice is missing_expected_invoice, and one without a schedule subscription_line_without_schedule; a line that
billing never had is order_lines_missing_in_billing, and service after the contract's term is missed_renewal.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import known_sum, per_year
from checks.arithmetic.periods import FOREVER, days, midnight, overlap
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
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import billed, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference

MONTH = ("contract_line_key", "period_start", "period_end")
NEVER_BILLED = ("suspended", "draft")


def find(books: Books, _: Params) -> ir.Table:
    """Months in which seats of a contract line were active, with the days that its stopped subscription left out."""
    rows = _unbilled(_stopped(_served(books)))
    rows = of_customers(books, _priced(rows))
    return candidates(
        rows,
        "subscription_lines",
        "number",
        "name",
        "status",
        "active",
        subject=rows.contract_line_key,
        period=(rows.period_start, rows.period_end),
        evidence=listed(
            reference(rows.system, "subscription_lines", rows.key),
            reference(rows.c_system, "contract_lines", rows.line),
        ).concat(rows.counts),
        fails_from=midnight(rows.period_end),
        known_at=ibis.greatest(rows.modified_at, rows.counted_at),
        yearly=rows.yearly,
        unbilled_days=rows.unbilled_days,
        month_days=days(rows.period_start, rows.period_end),
    )


def _served(books: Books) -> ir.Table:
    """Months with active seats, by contract line; [`since`, `until`) are the days that the contract has billed."""
    count = books.table("entitlements", "seats")
    count = count.filter((count.active_quantity > 0) & ~count.is_trial.fill_null(False))
    count = count.group_by(MONTH).agg(
        active=count.active_quantity.max(),
        counted_at=count.modified_at.max(),
        counts=collected(reference(count.system, "entitlements", count.key)),
    )
    line = terms.LINES.table.filter(lambda t: t.billable & (t.charge_type == "recurring"))
    line = line.select(
        "account_key", "currency", c_system="system", line="key", begins=line.start_date, free_until="free_until",
        ends=ibis.least(line.ends_on, line.cancelled_on),
    )  # fmt: skip
    both = count.inner_join(line, count.contract_line_key == line.line)
    return both.mutate(
        since=ibis.greatest(both.period_start, both.begins, both.free_until.fill_null(both.begins)),
        until=ibis.least(both.period_end, both.ends),
    )


def _stopped(month: ir.Table) -> ir.Table:
    """`month` with the subscription line of each, where none of them is active any more, or yet."""
    line = subscribed.LINES.table
    line = line.filter((line.charge_type.fill_null("recurring") == "recurring") & line.contract_line_key.notnull())
    is_on = line.status.fill_null("active") == "active"
    ends = ibis.least(*(line[name].fill_null(FOREVER) for name in ("end_date", "term_end", "cancelled_date")))
    stopped = line.status.isin(NEVER_BILLED).ifelse(line.start_date, ends)
    order = [line.start_date, line.key]
    held = line.group_by(of="contract_line_key").agg(
        is_on=is_on.any(),
        is_trial=line.is_trial.fill_null(False).any(),
        stopped=stopped.max(),
        through=line.charged_through.max(),
        modified_at=line.modified_at.max(),
        **{name: line[name].last(order_by=order) for name in ("system", "key", "number", "name", "status")},
    )
    held = held.filter(~held.is_on & ~held.is_trial)
    both = month.inner_join(held, month.contract_line_key == held.of)
    both = both.mutate(since=ibis.greatest(both.since, both.stopped, both.through.fill_null(both.since)))
    return both.filter(both.since < both.until)


def _unbilled(month: ir.Table) -> ir.Table:
    """`month` with `unbilled_days`: those that no invoice line of the same contract line covers."""
    line = billed.LINES.table
    line = line.filter(line.kind.isin(("recurring", "credit")) & line.since.notnull())
    line = line.anti_join(billed.REPEATED.table, ["system", "key"])
    line = line.select("contract_line_key", "amount", b_since="since", b_until="until")
    both = month.select(*MONTH, "since", "until").inner_join(line, "contract_line_key")
    shared = overlap(both.since, both.until, both.b_since, both.b_until)
    covered = both.group_by(MONTH).agg(covered=(both.amount < 0).ifelse(-shared, shared).sum())
    joined = month.left_join(covered, list(MONTH)).drop(*(f"{name}_right" for name in MONTH))
    covered_days = ibis.greatest(joined.covered.fill_null(0).cast("int64"), 0)
    return joined.mutate(unbilled_days=days(joined.since, joined.until) - covered_days).filter(
        lambda t: t.unbilled_days > 0
    )


def _priced(month: ir.Table) -> ir.Table:
    """`month` with what its contract line costs a year on the first of the days."""
    row = terms.PRICED.table
    row = row.select(
        "base_key", "begins", r_until="until", a_year=per_year(row.quantity, row.unit_price, row.price_months)
    )
    both = month.select(*MONTH, "since").inner_join(row, month.contract_line_key == row.base_key)
    both = both.filter((both.begins <= both.since) & (both.since < both.r_until))
    value = both.group_by(MONTH).agg(
        yearly=known_sum(both.a_year),
    )
    return month.drop("begins").inner_join(value, list(MONTH))


CHECK = Check(
    id="active_not_billing",
    doc=__doc__,
    pattern=Pattern.SEQUENCING,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        Need("entitlements", "seats"),
        *subscribed.NEEDS,
        *terms.NEEDS,
        *billed.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of("yearly * unbilled_days / (12 * month_days)", "0"),
    message=(
        "{active} units of {name} were in use in the month from {period_start}, and the subscription {number} is "
        "{status} in billing: {unbilled_days} days come to {amount} {currency}."
    ),
    find=find,
)
