"""Billing periods of recurring lines that are due up to the day that is asked about.

They come from the subscription lines of the billing platform. Where no source has those, they come from the
contract lines: a customer may give us its contracts and nothing else.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import FOREVER, CycleColumns, days, days_later, due_date
from checks.facts import subscribed, terms
from checks.facts.customers import of_customers

_COMMON = (
    "system", "key", "account_key", "currency", "product", "price_months", "billing_months", "timing", "starts",
    "ends", "charged_through", "began", "bill_day", "modified_at", "contract_line_key",
)  # fmt: skip


def entity(books: Books) -> str:
    """The entity whose lines are billed: subscription_lines, or contract_lines where there are none of those."""
    return "subscription_lines" if books.systems("subscription_lines", "billing") else "contract_lines"


def recurring(books: Books) -> ir.Table:
    """The lines that bill by period, each for the days [`starts`, `ends`); without drafts and suspended ones."""
    of_billing = entity(books) == "subscription_lines"
    return of_customers(books, _subscribed() if of_billing else _agreed())


def due(books: Books) -> ir.Table:
    """One row per line and due period [`since`, `until`), a part of the whole period of `period_days`.

    `quantity` at `unit_price` for `price_months` holds on the first day of it. Free days, and what comes after an
    end or a cancellation, are not due. Lines of drafts and of suspended subscriptions are not due either.
    """
    return _periods(books, recurring(books))


def agreed(books: Books) -> ir.Table:
    """The same of the contract lines, wherever billing has lines of its own: cut on the bill days of the account.

    Of a line that billing has suspended, nothing is due beyond what was billed before.
    """
    account = books.table("accounts", "billing").group_by(a_account="account_key").agg(a_day=lambda t: t.bill_day.min())
    paused = subscribed.LINES.table.filter(lambda t: t.status == "suspended")
    paused = paused.group_by(p_line="contract_line_key").agg(
        p_ends=ibis.coalesce(paused.charged_through, paused.start_date).max()
    )
    line = of_customers(books, _agreed())
    line = line.left_join(account, line.account_key == account.a_account)
    line = line.left_join(paused, line.key == paused.p_line)
    line = line.mutate(bill_day=line.a_day, ends=ibis.least(line.ends, line.p_ends.fill_null(FOREVER)))
    return _periods(books, line.drop("a_account", "a_day", "p_line", "p_ends"))


def _periods(books: Books, line: ir.Table) -> ir.Table:
    line = line.cross_join(books.request.select("today", "target_date")).filter(lambda t: t.starts <= t.target_date)
    cycle = CycleColumns.of(line.began, line.bill_day, line.billing_months)
    last = cycle.index(ibis.least(line.target_date, days_later(ibis.least(line.ends, FOREVER), -1)))
    period = line.mutate(n=ibis.range(cycle.index(line.starts), last + 1).unnest())
    cycle = CycleColumns.of(period.began, period.bill_day, period.billing_months)
    period = period.mutate(begins=cycle.boundary(period.n), follows=cycle.boundary(period.n + 1))
    period = period.mutate(
        since=ibis.greatest(period.begins, period.starts), until=ibis.least(period.follows, period.ends)
    )
    period = period.mutate(
        due=due_date(period.timing, period.since, period.until),
        days=days(period.since, period.until),
        period_days=days(period.begins, period.follows),
    )
    return period.filter((period.days > 0) & (period.due <= period.target_date))


def priced(books: Books, period: ir.Table) -> ir.Table:
    """`period` with `quantity` and `unit_price` as they stand on its first day."""
    if entity(books) == "contract_lines":
        return _by_contract(period)
    schedule = books.table("billing_schedules", "billing").select(
        c_system="system", c_line="subscription_line_key", c_start="start_date", c_end="end_date",
        c_quantity="quantity", c_price="unit_price",
    )  # fmt: skip
    line = subscribed.LINES.table.select(q_system="system", q_key="key", q_quantity="quantity", q_price="unit_price")
    joined = period.inner_join(line, [period.system == line.q_system, period.key == line.q_key])
    joined = joined.left_join(
        schedule,
        [
            joined.system == schedule.c_system,
            joined.key == schedule.c_line,
            schedule.c_start <= joined.since,
            joined.since < schedule.c_end.fill_null(FOREVER),
        ],
    )
    return joined.mutate(
        quantity=ibis.coalesce(joined.c_quantity, joined.q_quantity),
        unit_price=ibis.coalesce(joined.c_price, joined.q_price),
    )


def _by_contract(period: ir.Table) -> ir.Table:
    row = terms.PRICED.table.select(
        r_system="system", base_key="base_key", r_quantity="quantity", r_price="unit_price", r_begins="begins",
        r_until="until",
    )  # fmt: skip
    joined = period.inner_join(row, [period.system == row.r_system, period.key == row.base_key])
    joined = joined.filter((joined.r_begins <= joined.since) & (joined.since < joined.r_until))
    value = product(joined.r_quantity, joined.r_price)
    one_price = joined.r_price.min() == joined.r_price.max()
    kept = {name: joined[name].arbitrary() for name in period.columns if name not in ("system", "key", "since")}
    exact = "decimal(38, 8)"
    return joined.group_by("system", "key", "since").agg(
        **kept,
        quantity=one_price.ifelse(joined.r_quantity.sum().cast(exact), ibis.literal(1).cast(exact)),
        unit_price=one_price.ifelse(joined.r_price.max().cast(exact), value.sum().cast(exact)),
    )


def _subscribed() -> ir.Table:
    line = subscribed.LINES.table
    line = line.filter(
        (line.charge_type.fill_null("recurring") == "recurring")
        & ~line.status.fill_null("active").isin(("draft", "suspended"))
    )
    ends = [line[name].fill_null(FOREVER) for name in ("end_date", "term_end", "cancelled_date")]
    return line.mutate(
        product=ibis.coalesce(line.name, line.product_code, line.key),
        timing=line.billing_timing,
        starts=ibis.greatest(line.start_date, line.free_until.fill_null(line.start_date)),
        ends=ibis.least(*ends),
        began=ibis.coalesce(line.term_start, line.start_date),
    ).select(*_COMMON)


def _agreed() -> ir.Table:
    line = terms.LINES.table
    line = line.filter(line.billable & (line.charge_type == "recurring"))
    # A ramp that is billed with its first step goes on with the later ones.
    row = terms.ROWS.table
    last = row.group_by(r_system="system", r_base="base_key").agg(counts_until=row.until.max())
    line = line.left_join(last, [line.system == last.r_system, line.key == last.r_base])
    return line.mutate(
        product=ibis.coalesce(line.product_code, line.key),
        timing=line.billing_timing,
        starts=ibis.greatest(line.start_date, line.free_until.fill_null(line.start_date)),
        ends=ibis.least(ibis.greatest(line.ends_on, line.counts_until.fill_null(line.ends_on)), line.cancelled_on),
        charged_through=ibis.null("date"),
        began=line.term_start,
        bill_day=ibis.null("int64"),
        contract_line_key=line.key,
    ).select(*_COMMON)
