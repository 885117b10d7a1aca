"""Somebody changed a record of a customer by hand, by an upload or by a script, past the flow that owns it.

Why it matters: the systems no longer agree, the next hand-over may undo the change or build on it, and no approval
says that it was meant.

Usual cause: a correction before the run that was quicker by CSV than through the order, or a leftover login with more
rights than its user needs.

How to fix: make the change in the system that is right and let the flow carry it over; or link the change ticket that
allows it. Take the right to write away where nobody needs it.

What it is not: a change of an operations user with a ticket, one that an integration user wrote, also by API, or one
that lies so far back that invoices have been made and checked since.
"""

import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import days_later
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
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, reference


def find(books: Books, params: Params) -> ir.Table:
    """Records that were written past their flow, one row per record, day and currency."""
    change = of_customers(books, _past_the_flow(books, params))
    change = change.cross_join(books.request.select("today"))
    change = change.filter(change.day >= days_later(change.today, -params.whole("look_back_days")))
    first = [change.changed_at, change.key]
    off = change.group_by("system", "account_key", "object", "record_key", "day", "currency").agg(
        key=change.key.first(order_by=first),
        who=change.changed_by.first(order_by=first).fill_null("somebody unnamed"),
        way=change.via.first(order_by=first),
        field=change.field.first(order_by=first).fill_null("a field"),
        fields=change.field.nunique(),
        changed_at=change.changed_at.min(),
        changed=change.worth.sum().cast("decimal(38, 4)"),
        changes=collected(reference(change.system, "record_changes", change.key)),
    )
    more = (off.fields - 1).cast("string")
    return candidates(
        off.mutate(
            what=(off.fields > 1).ifelse(off.field + " and " + more + " more", off.field),
            of=off.object.fill_null("a record"),
            whose=off.record_key.fill_null("without a key"),
            unit=off.currency.fill_null("(the trail says no amount)"),
        ),
        "record_changes",
        "who",
        "way",
        "what",
        "of",
        "whose",
        "day",
        "unit",
        subject=off.object.fill_null("") + "/" + off.record_key.fill_null(off.key) + "/" + off.currency.fill_null(""),
        evidence=off.changes,
        period=(off.day, days_later(off.day, 1)),
        fails_from=off.changed_at,
        changed=off.changed,
    )


def _past_the_flow(books: Books, params: Params) -> ir.Table:
    """Changes by a way that is no flow's, without a ticket, with what each is `worth`."""
    change = books.table("record_changes", "audit")
    flow = change.filter((change.via == "integration") & change.changed_by.notnull())
    flow = flow.select(f_system="system", f_user="changed_by").distinct()
    has_ticket = change.ticket.fill_null("").strip() != ""
    named = change.changed_by.fill_null("").isin(params.texts("integration_users") or ("",))
    change = change.filter(
        change.via.isin(params.texts("ways"))
        & ~has_ticket
        & ~(named & change.changed_by.notnull())
        & change.changed_at.notnull()
    )
    by_flow = [change.system == flow.f_system, change.changed_by == flow.f_user, change.via == "api"]
    change = change.anti_join(flow, by_flow)
    money = "decimal(18, 4)"
    differs = change.after.try_cast(money).fill_null(0) - change.before.try_cast(money).fill_null(0)
    return change.mutate(
        day=change.changed_at.cast("date"),
        worth=change.currency.notnull().ifelse(change.amount.fill_null(differs).abs(), 0).cast(money),
    )


CHECK = Check(
    id="manual_backdoor_write",
    doc=__doc__,
    pattern=Pattern.CONTROL_HEALTH,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(Need("record_changes", "audit"), *CUSTOMER_NEEDS),
    settings=(
        Setting("ways", ("ui", "import", "script", "api"), "The ways of writing that belong to no flow by themselves."),
        Setting(
            "integration_users",
            (),
            "Users whose writes belong to a flow although the trail does not say so. Whoever is seen to write as an "
            "integration needs no mention.",
        ),
        Setting(
            "look_back_days", 45, "What lies more than a billing cycle and a close back has been invoiced and checked."
        ),
    ),
    arithmetic=Arithmetic.of("changed", "0"),
    message="{who} wrote {what} of {of} {whose} by {way} on {day}, past the flow, without a ticket: {amount} {unit}.",
    find=find,
)
