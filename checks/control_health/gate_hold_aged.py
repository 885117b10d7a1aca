"""The gate holds invoices of a customer back for longer than a hold may last.

Why it matters: a hold keeps money from being asked for, like the mistakes that it guards against. A hold that nobody
ends is itself a leak.

Usual cause: the run was put to the gate and blocked late in the day, the cause was mended and the run was not asked
again, or everybody waits for an override that nobody has requested.

How to fix: look at the reasons of the verdict, mend them and ask again; or have an override approved. A hold that is
meant to last gets a reason and a date.

What it is not: a hold with a planned review until a date that is still ahead, one that was released, or one of an
invoice that has been posted or withdrawn since.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
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
)
from checks.rows import candidates, collected, reference


def find(books: Books, params: Params) -> ir.Table:
    """Holds that nobody has ended, one row per run, customer and currency."""
    hold = _standing(books)
    otherwise = hold.held_at + ibis.interval(hours=params.whole("hours"))
    due = ibis.coalesce(hold.due_at, otherwise)
    hold = hold.mutate(
        run=ibis.coalesce(hold.run_key, ""),
        whose=ibis.coalesce(hold.account_key, hold.invoice_key, hold.key),
        ends=ibis.greatest(due, hold.until_at.fill_null(due)),
    )
    first = [hold.ends, hold.key]
    off = hold.group_by("system", "run", "whose", "currency").agg(
        key=hold.key.first(order_by=first),
        account_key=hold.account_key.max(),
        invoice=hold.invoice_key.first(order_by=first),
        owner=hold.owner.first(order_by=first).fill_null("nobody"),
        reason=hold.reason.first(order_by=first).fill_null("no reason given"),
        held_at=hold.held_at.min(),
        ends=hold.ends.min(),
        invoices=hold.key.count(),
        held=hold.amount.fill_null(0).sum().cast("decimal(38, 4)"),
        holds=collected(reference(hold.system, "holds", hold.key)),
    )
    return candidates(
        off.mutate(since=off.held_at.strftime("%Y-%m-%d %H:%M") + " UTC", unit=off.currency.fill_null("")),
        "holds",
        "run",
        "owner",
        "reason",
        "since",
        "invoices",
        "unit",
        subject=off.run + "/" + off.whose + "/" + off.currency.fill_null(""),
        evidence=off.holds,
        invoice=off.invoice,
        fails_from=off.ends,
        held=off.held,
    )


def _standing(books: Books) -> ir.Table:
    """Holds that were not released, of invoices that still wait."""
    hold = books.table("holds", "controls").filter(lambda t: t.released_at.isnull() & t.held_at.notnull())
    invoice = books.every("invoices", "billing")
    over = invoice.filter(invoice.deleted | (invoice.status.fill_null("draft") != "draft")).select(over_key="key")
    return hold.anti_join(over, hold.invoice_key == over.over_key)


CHECK = Check(
    id="gate_hold_aged",
    doc=__doc__,
    pattern=Pattern.CONTROL_HEALTH,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.INVOICE,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(Need("holds", "controls", may_be_empty=True), Need("invoices", "billing").where_filled()),
    settings=(
        Setting("hours", 24, "How long a hold may last that was published without a deadline of its own: a day."),
    ),
    arithmetic=Arithmetic.of("held", "0"),
    message="{invoices} invoices of run {run} are held since {since} ({reason}; {owner}): {amount} {unit}.",
    find=find,
)
