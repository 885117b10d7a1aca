"""The bill date of a period has passed and its invoice was not issued: the period is on a draft that nobody posted.

Why it matters: the draft looks like work that was done. The customer has no invoice, the days until it pays have not
begun to run, and after another period nobody remembers what it was for.

Usual cause: the draft was left over when its run was posted, its posting failed, or it was set aside for a question
that nobody answered.

How to fix: post the draft, or delete it and let the next run make it again. If it must wait, hold it with an owner and
a date, so that it is known.

What it is not: a draft that is on hold, a draft of a run that is not older than `grace_days`, a period that another
invoice has billed, a bill day that was moved (the account's bill day says when a period is due), an account whose
invoices another account pays (that account's bill day counts), or a subscription that is suspended. A gap has one
owner: a due period that is on no invoice at all, not even on a draft, is missing_expected_invoice.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import CycleColumns, days_later, due_date, midnight
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
from checks.facts import billed, subscribed
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Recurring lines of drafts that nobody holds, from some days after the bill date of their period on."""
    rows = _free_of_holds(books, _drafted(books)).cross_join(books.request.select("today"))
    cycle = CycleColumns.of(rows.due, ibis.null("int64"), rows.billing_months)
    next_due = cycle.boundary(ibis.literal(1))
    return candidates(
        rows,
        "invoice_lines",
        "number",
        "product",
        "due",
        subject=rows.line_of,
        period=(rows.since, rows.until),
        evidence=listed(
            reference(rows.system, "invoices", rows.invoice_key),
            reference(rows.system, "invoice_lines", rows.key),
            reference(rows.system, "subscription_lines", rows.line_of),
        ),
        invoice=rows.invoice_key,
        line=rows.key,
        fails_from=midnight(days_later(rows.due, params.whole("grace_days") + 1)),
        kind=(rows.today < next_due).ifelse(MoneyKind.TIMING.value, MoneyKind.LEAK.value),
        drafted=rows.amount,
    )


def _drafted(books: Books) -> ir.Table:
    """Charges on drafts for periods of which nothing was posted, with the day on which the period was due."""
    line = billed.LINES.table
    recurs = (line.kind == "recurring") & (line.s_charge_type.fill_null("recurring") == "recurring")
    line = line.filter(recurs & line.line_of.notnull() & (line.amount > 0) & line.since.notnull())
    posted = line.filter(line.status != "draft").select(p_line="line_of", p_since="since", p_until="until")
    draft = line.filter(line.status == "draft")
    draft = draft.anti_join(
        posted, [draft.line_of == posted.p_line, draft.since < posted.p_until, posted.p_since < draft.until]
    )
    held = _lines(books)
    draft = of_customers(books, draft)
    both = draft.inner_join(held, [draft.system == held.h_system, draft.line_of == held.h_key])
    cycle = CycleColumns.of(both.began, both.bill_day, both.billing_months)
    # A period that was made before the bill day was moved falls due on the first boundary that reaches its own day.
    at = due_date(both.timing, both.since, both.until)
    boundary = cycle.boundary(cycle.index(days_later(at, -1)) + 1)
    is_first = at == both.first_day
    return both.mutate(due=is_first.ifelse(at, ibis.greatest(at, boundary)))


def _lines(books: Books) -> ir.Table:
    """Recurring lines of running subscriptions, with the bill day of the account that pays."""
    line = subscribed.LINES.table
    line = line.filter(~line.status.fill_null("active").isin(("draft", "suspended")))
    account = books.table("accounts", "billing")
    own = account.filter(account.account_key.notnull())
    own = own.group_by(o_system="system", o_account="account_key").agg(owner=own.invoice_owner_key.max())
    pays = account.select(y_system="system", y_key="key", y_day="bill_day")
    joined = line.left_join(own, [line.system == own.o_system, line.account_key == own.o_account])
    joined = joined.left_join(pays, [joined.system == pays.y_system, joined.owner == pays.y_key])
    return joined.select(
        h_system="system", h_key="key", timing="billing_timing", billing_months="billing_months",
        first_day="start_date",
        began=ibis.coalesce(joined.term_start, joined.start_date),
        bill_day=ibis.coalesce(joined.y_day, joined.bill_day),
        product=ibis.coalesce(joined.name, joined.product_code, joined.key),
    )  # fmt: skip


def _free_of_holds(books: Books, line: ir.Table) -> ir.Table:
    """`line` without drafts that are held themselves or with their whole run."""
    hold = books.table("holds", "controls").filter(lambda t: t.released_at.isnull())
    run = billed.invoices(books).select(v_system="system", v_key="key", run_key="run_key")
    line = line.inner_join(run, [line.system == run.v_system, line.invoice_key == run.v_key])
    single = hold.filter(hold.invoice_key.notnull()).select(on_invoice="invoice_key")
    whole = hold.filter(hold.invoice_key.isnull() & hold.run_key.notnull()).select(on_run="run_key")
    line = line.anti_join(single, line.invoice_key == single.on_invoice)
    return line.anti_join(whole, line.run_key == whole.on_run)


CHECK = Check(
    id="recurring_bill_date_missed",
    doc=__doc__,
    pattern=Pattern.TIME_BOUNDARIES,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(
        *billed.NEEDS,
        *subscribed.NEEDS,
        Need("holds", "controls").where_filled(),
        *CUSTOMER_NEEDS,
    ),
    settings=(Setting("grace_days", 3, "A run is checked and posted within three days of its bill date."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("drafted", "0"),
    message=(
        "{product} was to be invoiced on {due} for {period_start} to {period_end}; invoice {number} is still a draft "
        "that nobody holds: {amount} {currency}."
    ),
    find=find,
)
