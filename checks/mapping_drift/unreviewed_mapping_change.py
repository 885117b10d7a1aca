"""A field or a mapping was changed, and nobody has approved the change.

Why it matters: what a field means, or whether it is filled, decides what the next run bills. A change that nobody
looked at is found on invoices.

Usual cause: an administrator renamed a field or narrowed a picklist, or a flow's mapping was edited in production.

How to fix: have the change looked at by whoever owns the flow, and record the approval with its object and field; or
take it back before the next run.

What it is not: a change that was approved before, an emergency fix that is approved within one working day, or a new
field that nothing maps yet.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.periods import days_later, midnight, working_days_later
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
from checks.facts import approved_changes, next_invoices
from checks.rows import candidates, collected, reference

_NOTICED = ("crm", "billing", "erp", "usage", "seats", "integration", "audit")


def find(books: Books, params: Params) -> ir.Table:
    """Changes that no approval covers, from the end of the next working day on; one row per field and day."""
    change = _changes(books, params)
    covered = approved_changes.covering(books, change, change.day, params.whole("approval_days"))
    change = change.anti_join(covered, ["system", "key"])
    last = [change.seen_at, change.key]
    off = change.group_by("system", "object", "field", "day").agg(
        key=change.key.last(order_by=last),
        how=change.change.last(order_by=last).fill_null("changed"),
        before=change.before.first(order_by=last).fill_null("nothing"),
        after=change.after.last(order_by=last).fill_null("nothing"),
        changes=collected(reference(change.system, "metadata_changes", change.key)),
    )
    currency = params.text("currency")
    off = off.cross_join(_next_run(books, currency))
    grace = days_later(working_days_later(off.day, params.whole("grace_days")), 1)
    return candidates(
        off.mutate(account_key=ibis.null("string"), currency=ibis.literal(currency)),
        "metadata_changes",
        "object",
        "field",
        "how",
        "before",
        "after",
        "day",
        subject=off.object + "/" + off.field,
        evidence=off.changes,
        period=(off.day, days_later(off.day, 1)),
        fails_from=midnight(grace),
        yearly_months=off.yearly_months,
    )


def _changes(books: Books, params: Params) -> ir.Table:
    """What was noticed of any source, each change once, with the `day` on which it was seen."""
    noticed = [books.table("metadata_changes", role) for role in _NOTICED]
    change = ibis.union(*noticed, distinct=True)
    seen = ibis.coalesce(change.seen_at, change.modified_at)
    change = change.filter(seen.notnull() & ~change.change.fill_null("").isin(params.texts("harmless")))
    change = change.cross_join(books.request.select("today"))
    change = change.mutate(
        seen_at=ibis.coalesce(change.seen_at, change.modified_at),
        object=change.object.fill_null(""),
        field=change.field.fill_null(""),
    )
    change = change.mutate(day=change.seen_at.cast("date"))
    return change.filter(change.day >= days_later(change.today, -params.whole("look_back_days")))


def _next_run(books: Books, currency: str) -> ir.Table:
    """One row: twelve times what the next run bills, in one currency; what no rate is known for is left out."""
    bill = next_invoices.ROWS.table.cross_join(books.request.select("today")).filter(lambda t: t.bills_on >= t.today)
    bill = bill.mutate(first=bill.bills_on.min().over(ibis.window()), told=ibis.literal(currency))
    bill = bill.filter(lambda t: t.bills_on == t["first"])
    rated = fx.with_rate(books, bill, "currency", "told", "today")
    whole = rated.yearly_months + rated.cut_yearly_months
    return rated.agg(yearly_months=fx.converted(whole, rated.rate).sum().fill_null(0).cast("decimal(38, 8)"))


CHECK = Check(
    id="unreviewed_mapping_change",
    doc=__doc__,
    pattern=Pattern.MAPPING_DRIFT,
    severity=Severity.S3,
    owners=(Owner.IT, Owner.REVOPS),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.EVERYTHING,
    needs=(
        Need("approvals", "audit", may_be_empty=True),
        *(Need("metadata_changes", role).where_filled() for role in _NOTICED),
        *next_invoices.NEEDS,
        *fx.NEEDS,
    ),
    one_of=("metadata_changes",),
    settings=(
        Setting("grace_days", 1, "Working days within which an emergency fix may be approved afterwards."),
        Setting(
            "approval_days", 30, "How long before a change its approval may lie: longer, and it was for another one."
        ),
        Setting(
            "harmless", ("appeared",), "Kinds of changes that need no review: a new field changes nothing that is read."
        ),
        Setting("look_back_days", 90, "Older changes have been through a quarter's closes."),
        Setting("currency", "USD", "What the next run bills is told in this currency, by the rates of the day."),
    ),
    arithmetic=Arithmetic.of("yearly_months / 12", "0"),
    message=(
        "{field} of {object} in {system} was changed on {day} ({how}: {before} to {after}) and nobody has approved it; "
        "the next run bills {amount} {currency}."
    ),
    find=find,
)
