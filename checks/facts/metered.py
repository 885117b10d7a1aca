"""Metered usage against its bills: per subscription line and billing period, what was used and what was billed.

An event belongs to the line that it names, else to the line of its subscription whose product, name or unit is the
meter's; to none where that leaves two. It counts once however often it arrived, and in the period that holds its day
on the customer's own wall clock. Tests are left out. Heartbeats say that the meter works, and count nothing.

A period that was billed is rated as it was known then: with the events that had been received when the latest of its
invoices was made (`in_time`). What came later is on the next invoice, with the period's own days or among those of
the next period, or it is on none.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.local_time import local_day
from checks.arithmetic.periods import FOREVER, CycleColumns, days_later, midnight
from checks.contract import Need
from checks.facts import billed, subscribed
from checks.facts.meter_prices import name_of
from checks.relation import Relation

NEEDS = (
    Need("usage_events", "usage"),
    *subscribed.NEEDS,
    *(need for need in billed.NEEDS if need.entity != "subscription_lines" and need.entity != "subscriptions"),
    Need("invoice_runs", "billing").where_filled(),
)
KEY = ("system", "key", "n")
EXACT = "decimal(38, 8)"
QUANTITY = "decimal(38, 6)"


def _lines(_: Books) -> ir.Table:
    """Usage lines with their days [`starts`, `ends`) and the columns that make their cycle."""
    line = subscribed.LINES.table
    line = line.filter((line.charge_type == "usage") & (line.status.fill_null("active") != "draft"))
    ends = ibis.least(line.end_date.fill_null(FOREVER), line.cancelled_date.fill_null(FOREVER))
    return line.mutate(starts=line.start_date, ends=ends, began=ibis.coalesce(line.term_start, line.start_date))


LINES = Relation("metered_lines", _lines)


def cycle(rows: ir.Table) -> CycleColumns:
    """The cycle of rows that have the columns of LINES."""
    return CycleColumns.of(rows.began, rows.bill_day, rows.billing_months)


def _events(books: Books) -> ir.Table:
    """Events that count, each with its line (`system`, `key`), its local `day` and the number of its period."""
    event = books.table("usage_events", "usage").filter(lambda t: ~t.is_test.fill_null(False))
    event = _once(event).select(
        "event_id", "quantity", "received_at", "happened_at", "meter", e_system="system", e_key="key",
        e_number="subscription_number", e_line="subscription_line_key",
        is_heartbeat=event.is_heartbeat.fill_null(False),
    )  # fmt: skip
    line = LINES.table.select(
        "system", "key", "number", "timezone", "began", "bill_day", "billing_months", "starts", "ends", "product_code",
        "name", "unit",
    )  # fmt: skip
    own = event.inner_join(line, event.e_line == line.key)
    named = event.filter(event.e_line.isnull()).mutate(named=name_of(event.meter.fill_null("")))
    names = _names(line)
    by_name = named.inner_join(names, [named.e_number == names.number, named.named == names.line_named])
    both = own.select(*_OF_EVENT).union(by_name.select(*_OF_EVENT))
    both = both.mutate(day=local_day(both.happened_at, both.timezone))
    both = both.filter((both.starts <= both.day) & (both.day < both.ends))
    several = both.group_by(m_system="e_system", m_key="e_key").agg(n=both.count()).filter(lambda t: t.n > 1)
    both = both.anti_join(several, [both.e_system == several.m_system, both.e_key == several.m_key])
    return both.mutate(n=cycle(both).index(both.day)).drop("timezone", "began", "bill_day", "billing_months")


_OF_EVENT = (
    "system", "key", "timezone", "began", "bill_day", "billing_months", "starts", "ends", "e_system", "e_key",
    "event_id", "quantity", "received_at", "happened_at", "is_heartbeat",
)  # fmt: skip


def _once(event: ir.Table) -> ir.Table:
    """Without what arrived again: the first arrival of an id counts."""
    counted = event.group_by("system", "event_id").agg(n=event.count())
    again = counted.filter((counted.n > 1) & counted.event_id.notnull()).drop("n")
    several = event.semi_join(again, ["system", "event_id"])
    rank = ibis.row_number().over(
        group_by=[several.system, several.event_id], order_by=[several.received_at, several.key]
    )
    late = several.mutate(rank=rank).filter(lambda t: t["rank"] > 0).select("system", "key")
    return event.anti_join(late, ["system", "key"])


def _names(line: ir.Table) -> ir.Table:
    """`line` once for each of its names."""
    columns = ("system", "key", "number", "timezone", "began", "bill_day", "billing_months", "starts", "ends")
    first, *others = [
        line.select(*columns, line_named=name_of(line[name])) for name in ("product_code", "name", "unit")
    ]
    named = first.union(*others)
    return named.filter(named.line_named.notnull() & (named.line_named != "")).distinct()


EVENTS = Relation("metered_events", _events)


def _billed(books: Books) -> ir.Table:
    """Lines of live invoices for metered lines within one period, with its number `n` and the moment it was made.

    Lines that repeat another are left out, since their own check reports them; so are those over several periods,
    which settle a commitment.
    """
    usage = billed.LINES.table.filter(lambda t: t.since.notnull() & (t.kind != "tax"))
    usage = usage.anti_join(billed.REPEATED.table, ["system", "key"])
    usage = usage.select(
        "invoice_key", "number", "status", "invoice_date", "quantity", "amount", "currency", "since", "until", "kind",
        b_system="system", b_key="key", line_of="line_of",
    )  # fmt: skip
    line = LINES.table.select("system", "key", "began", "bill_day", "billing_months", "account_key", "timezone")
    both = usage.inner_join(line, [usage.b_system == line.system, usage.line_of == line.key])
    run = books.table("invoice_runs", "billing").select("started_at", r_system="system", r_key="key")
    invoice = billed.invoices(books).select("run_key", "posted_at", i_system="system", i_key="key")
    both = both.inner_join(invoice, [both.b_system == invoice.i_system, both.invoice_key == invoice.i_key])
    both = both.left_join(run, [both.b_system == run.r_system, both.run_key == run.r_key])
    made = ibis.coalesce(both.started_at, both.posted_at, midnight(days_later(both.invoice_date, 1)))
    both = both.mutate(made_at=made, n=cycle(both).index(both.since))
    last = cycle(both).index(days_later(both.until, -1))
    return both.filter(last == both.n).drop("r_system", "r_key", "i_system", "i_key", "started_at", "posted_at")


BILLED = Relation("metered_bills", _billed)


def _periods(_: Books) -> ir.Table:
    """One row per metered line and period with usage or a bill: [`since`, `until`), cut to the line's own days.

    `used`, `in_time` are quantities, `events` counts what counts and `beats` everything; `bill_amount`, `bills` and
    `made_at` are null where nothing was billed, `bill_currency` also where several currencies were.
    """
    event = EVENTS.table
    bill = BILLED.table
    bills = bill.group_by(b_system="system", b_of="key", b_n="n").agg(
        bill_amount=bill.amount.sum().cast(EXACT),
        bills=bill.count(),
        made_at=bill.made_at.max(),
        bill_currency=(bill.currency.min() == bill.currency.max()).ifelse(bill.currency.max(), ibis.null("string")),
    )
    joined = event.left_join(bills, [event.system == bills.b_system, event.key == bills.b_of, event.n == bills.b_n])
    counts = (~joined.is_heartbeat).ifelse(joined.quantity, 0)
    known = joined.made_at.notnull() & (joined.received_at <= joined.made_at)
    used = joined.group_by("system", "key", "n").agg(
        used=counts.sum().cast(QUANTITY),
        in_time=known.ifelse(counts, 0).sum().cast(QUANTITY),
        events=(~joined.is_heartbeat).sum(),
        beats=joined.count(),
        last_received=joined.received_at.max(),
    )
    lone = bills.select(system="b_system", key="b_of", n="b_n").anti_join(used, list(KEY))
    # A line that no event ever reached is not metered here: its usage cannot be rated again.
    lone = lone.semi_join(used, ["system", "key"])
    nothing = ibis.literal(0)
    lone = lone.mutate(
        used=nothing.cast(QUANTITY), in_time=nothing.cast(QUANTITY), events=nothing.cast("int64"),
        beats=nothing.cast("int64"), last_received=ibis.null("timestamp('UTC', 6)"),
    )  # fmt: skip
    rows = used.union(lone.select(used.columns)).left_join(
        bills, [("system", "b_system"), ("key", "b_of"), ("n", "b_n")]
    )
    line = LINES.table.select(*_OF_LINE, l_system="system", l_key="key")
    rows = rows.inner_join(line, [rows.system == line.l_system, rows.key == line.l_key])
    rows = rows.mutate(
        begins=cycle(rows).boundary(rows.n),
        follows=cycle(rows).boundary(rows.n + 1),
    )
    return rows.mutate(
        since=ibis.greatest(rows.begins, rows.starts),
        until=ibis.least(rows.follows, rows.ends),
    ).drop("b_system", "b_of", "b_n", "l_system", "l_key", "begins")


_OF_LINE = (
    "account_key", "number", "contract_line_key", "product_code", "name", "currency", "timezone", "unit_price", "model",
    "included_quantity", "package_size", "minimum_amount", "maximum_amount", "began", "bill_day", "billing_months",
    "starts", "ends", "modified_at",
)  # fmt: skip

PERIODS = Relation("metered_periods", _periods)
