"""Booked against billed, month by month: what the contracts say was due, beside what invoices say for the same days.

The month is that in which a billing period falls due, not that of the invoice: what is billed late still counts where
it belongs. Amounts are in the contract's currency, rounded period by period as an invoice is.
"""

import ibis
import ibis.expr.types as ir

from books.money import MINOR_UNITS
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import known_sum
from checks.arithmetic.periods import due_date, month_of, months_later, overlap
from checks.facts import billed, contract_periods, discounts, due_periods, paused, subscribed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.relation import Relation
from checks.rows import collected, reference, some

NEEDS = (*terms.NEEDS, *billed.NEEDS, *discounts.NEEDS, *paused.NEEDS, *fx.NEEDS, *CUSTOMER_NEEDS)
KEY = ("account_key", "product_code", "currency", "month")
MONEY = "decimal(38, 4)"
_FLOAT = "float64"
_WHOLE = [code for code, digits in MINOR_UNITS.items() if digits == 0]


def _plan(books: Books) -> ir.Table:
    """What is due by the terms: one row per contract line and period, with its `due` day and `booked`."""
    period = due_periods.agreed(books).select(
        "system", "key", "currency", "since", "until", "due", "days", "period_days", "billing_months"
    )
    period = _with_pauses(books, period)
    days_of = period.mutate(contract_line_key=period.key, period_start=period.since)
    row = contract_periods.with_rows(days_of).drop("since", "until", "days")
    joined = period.inner_join(row, [period.key == row.contract_line_key, period.since == row.period_start])
    months = joined.billing_months.cast(_FLOAT) / joined.r_months / joined.period_days
    months = months * (joined.days - joined.paused_days) / joined.days
    value = joined.r_quantity.cast(_FLOAT) * joined.r_price.cast(_FLOAT) * joined.shared * months
    same = ("system", "key", "currency", "since", "until", "due")
    return joined.group_by(same).agg(value=value.sum()).mutate(booked=lambda t: _document(t.value, t.currency))


def _with_pauses(books: Books, period: ir.Table) -> ir.Table:
    """`period` with `paused_days`: how many of its days billing was suspended for, by agreement."""
    line = subscribed.LINES.table.select(l_system="system", l_line="key", l_agreed="contract_line_key")
    off = paused.spans(books)
    off = off.inner_join(line, [off.p_system == line.l_system, off.p_line == line.l_line])
    met = period.select("key", "since", "until").inner_join(off, period.key == off.l_agreed)
    met = met.mutate(shared=overlap(met.since, met.until, met.paused, met.resumed)).filter(lambda t: t.shared > 0)
    days = met.group_by(m_key="key", m_since="since").agg(paused_days=met.shared.sum())
    joined = period.left_join(days, [period.key == days.m_key, period.since == days.m_since])
    return joined.mutate(paused_days=ibis.least(joined.paused_days.fill_null(0), joined.days)).drop("m_key", "m_since")


PLAN = Relation("booked_periods", _plan)


def _rows(books: Books) -> ir.Table:
    """One row per KEY: `booked`, `billed` (null where a rate is unknown), `last_due`, and a contract line (`line`)."""
    plan = PLAN.table.select("key", "currency", "due", booked="booked", billed=ibis.literal(0).cast(MONEY))
    period = contract_periods.BILLED.table
    invoiced = period.mutate(due=due_date(period.timing, period.since, period.until))
    invoiced = invoiced.cross_join(books.request.select("target_date")).filter(lambda t: t.due <= t.target_date)
    invoiced = invoiced.select(
        "currency",
        "due",
        key="contract_line_key",
        booked=ibis.literal(0).cast(MONEY),
        billed=fx.converted(invoiced.billed, invoiced.rate).cast(MONEY),
    )
    both = plan.union(invoiced.select(*plan.columns))
    line = terms.LINES.table.select("account_key", "product_code", l_key="key", crm="system")
    both = both.inner_join(line, both.key == line.l_key)
    both = of_customers(books, both.mutate(month=month_of(both.due)))
    return both.group_by(KEY).agg(
        booked=both.booked.sum().cast(MONEY),
        billed=known_sum(both.billed, MONEY),
        last_due=both.due.max(),
        line=both.key.min(),
        system=both.crm.min(),
    )


ROWS = Relation("tied_out_months", _rows)


def has_no_decimals(currency: ir.StringValue) -> ir.BooleanValue:
    """Whether a currency is counted in whole units, as yen are."""
    return currency.isin(_WHOLE)


def _document(value: ir.FloatingValue, currency: ir.StringValue) -> ir.DecimalValue:
    """A calculated amount as an invoice would show it."""
    cents = (value * 100).round().cast("decimal(38, 0)")
    exact = (cents.cast("decimal(38, 4)") * ibis.literal("0.01").cast("decimal(3, 2)")).cast(MONEY)
    return has_no_decimals(currency).ifelse(value.round().cast(MONEY), exact)


def recent(books: Books, months: int) -> ir.Table:
    """The months of ROWS that lie at most so many months back."""
    rows = ROWS.table.cross_join(books.request.select("today"))
    return rows.filter(rows.month >= months_later(month_of(rows.today), -months))


def with_invoiced(off: ir.Table) -> ir.Table:
    """Some of ROWS, with `invoiced`: the invoice lines that were counted, as evidence."""
    line = contract_periods.LINES.table.drop("account_key", "product_code", "currency")
    agreed = terms.LINES.table.select("account_key", "product_code", "currency", a_line="key")
    joined = line.inner_join(agreed, line.contract_line_key == agreed.a_line)
    joined = joined.mutate(month=month_of(due_date(joined.timing, joined.since, joined.until)))
    counted = joined.semi_join(off, list(KEY))
    records = counted.group_by(KEY).agg(invoiced=collected(reference(counted.system, "invoice_lines", counted.key)))
    both = off.left_join(records, list(KEY))
    return both.mutate(invoiced=some(both.invoiced)).drop(*(f"{name}_right" for name in KEY))
