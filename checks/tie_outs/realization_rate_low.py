"""Of what the contracts of a segment made due, less than the floor was ever collected.

Why it matters: bookings are promises. The share of them that becomes money is what the business lives on, and where it
is low in one segment the reason is usually one that can be mended.

Usual cause: contracts that were never billed, invoices that were never paid, or terms that sales gave and finance does
not know.

How to fix: start with the listed customers, who have the largest gaps; their own cases say what went wrong with each.

What it is not: what has only lately fallen due, what is in dispute (it is shown apart), or a rate of exactly the floor.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.periods import due_date, month_of, months_later
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
from checks.facts import collected, contract_periods, terms, tied_out
from checks.rows import candidates, reference, some
from checks.rows import collected as gathered

KEY = ("segment", "currency")
_EXACT = "decimal(38, 8)"
_SHOWN = 25


def find(books: Books, params: Params) -> ir.Table:
    """Segments and currencies; the record is the customer with the largest gap."""
    customer = _by_customer(books, params)
    customer = customer.mutate(gap=customer.due - customer.collected)
    total = customer.group_by(KEY).agg(
        **{name: customer[name].sum().cast(_EXACT) for name in ("due", "collected", "disputed")},
        customers=customer.count(),
    )
    floor = ibis.literal(params.decimal("floor")).cast("decimal(6, 4)")
    wanted = (total.due - total.disputed).cast("float64") * float(params.decimal("floor"))
    low = total.collected.cast("float64") < wanted
    off = total.filter(low & (total.customers >= params.whole("min_customers")))
    off = off.inner_join(_largest_gaps(customer), list(KEY))
    return candidates(
        off.mutate(account_key=off.key),
        "accounts",
        "segment",
        subject=off.segment + "/" + off.currency,
        evidence=some(off.listed),
        floor=floor,
        due=off.due,
        disputed=off.disputed,
        collected=off.collected,
    )


def _by_customer(books: Books, params: Params) -> ir.Table:
    """What was due of each customer in the window, and what of it was collected or is disputed."""
    booked = _in_window(books, tied_out.ROWS.table, params)
    booked = booked.group_by("account_key", "currency").agg(due=booked.booked.sum().cast(_EXACT))
    line = _in_window(books, _collected_lines(books), params)
    came = line.group_by(c_account="account_key", c_currency="currency").agg(
        collected=line.collected.sum().cast(_EXACT), disputed=line.disputed.sum().cast(_EXACT)
    )
    both = booked.left_join(came, [booked.account_key == came.c_account, booked.currency == came.c_currency])
    account = books.table("accounts", "crm").select(
        "system", "key", segment=lambda t: t.segment.fill_null("unassigned"), a_key="account_key"
    )
    both = both.inner_join(account, both.account_key == account.a_key)
    zero = ibis.literal(0).cast(_EXACT)
    return both.mutate(collected=both.collected.fill_null(zero), disputed=both.disputed.fill_null(zero))


def _in_window(books: Books, rows: ir.Table, params: Params) -> ir.Table:
    """Months that began long enough ago for everything due in them to be paid."""
    rows = rows.cross_join(books.request.select("today"))
    ends = months_later(month_of(rows.today), -params.whole("months_to_pay"))
    begins = months_later(month_of(rows.today), -params.whole("months_to_pay") - params.whole("window_months"))
    return rows.filter((rows.month >= begins) & (rows.month < ends))


def _collected_lines(books: Books) -> ir.Table:
    """Invoice lines of contract lines with the part of them that their invoice was paid, and that it disputes."""
    line = fx.with_rate(books, contract_periods.LINES.table, "b_currency", "currency", "invoice_date")
    invoice = collected.paid(
        books.table("invoices", "billing").select("system", "key", "total", "disputed_amount")
    ).rename(i_system="system", i_key="key")
    line = line.inner_join(invoice, [line.system == invoice.i_system, line.invoice_key == invoice.i_key])
    agreed = terms.LINES.table.select(a_line="key", a_account="account_key")
    line = line.inner_join(agreed, line.contract_line_key == agreed.a_line).filter(lambda t: t.total != 0)
    value = line.amount.cast("float64") * line.rate.cast("float64") / line.total.cast("float64")
    return line.select(
        "currency",
        account_key=line.a_account,
        month=month_of(due_date(line.timing, line.since, line.until)),
        collected=(value * line.collected.cast("float64")).cast(_EXACT),
        disputed=(value * line.disputed_amount.fill_null(0).cast("float64")).cast(_EXACT),
    )


def _largest_gaps(customer: ir.Table) -> ir.Table:
    """By KEY the customer with the largest gap (`system`, `key`), and the first of them as evidence."""
    order = ibis.window(group_by=[customer[name] for name in KEY], order_by=[customer.gap.desc(), customer.key])
    ranked = customer.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place < _SHOWN)
    return ranked.group_by(KEY).agg(
        system=ranked.system.first(order_by=ranked.place),
        key=ranked.key.first(order_by=ranked.place),
        listed=gathered(reference(ranked.system, "accounts", ranked.key)),
    )


CHECK = Check(
    id="realization_rate_low",
    doc=__doc__,
    pattern=Pattern.TIE_OUTS,
    severity=Severity.S2,
    owners=(Owner.FINANCE_OPS, Owner.REVOPS),
    mode=Mode.MONITOR,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.EVERYTHING,
    needs=(*tied_out.NEEDS, *collected.NEEDS, Need("accounts", "crm")),
    settings=(
        Setting("floor", "0.95", "Share of what was due that must have been collected; exactly that is enough."),
        Setting("window_months", 12, "Months of due dates over which the rate is taken."),
        Setting("months_to_pay", 3, "Months that the longest terms and the dunning take."),
        Setting("min_customers", 3, "The rate of fewer customers is the story of one of them."),
    ),
    tolerance=Tolerance(),
    arithmetic=Arithmetic.of("floor * (due - disputed)", "collected"),
    message=(
        "Of {due} {currency} that fell due in the segment {segment} within a year, {collected} were collected and "
        "{disputed} are disputed."
    ),
    find=find,
)
