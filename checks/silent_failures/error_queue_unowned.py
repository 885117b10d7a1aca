"""A record has lain in an error queue for hours, and nobody has taken it.

Why it matters: what could not be moved is not billed, not booked, or billed by old terms, until somebody looks. An
entry without an owner is looked at by nobody.

Usual cause: the platform's alert goes to a mailbox that nobody reads, or to somebody who has left; or one failure made
so many entries that all of them are passed over.

How to fix: give the entry an owner in the platform, mend what it says, and run the flow again for this record. If the
class of error does no harm, put it on the list of those that are ignored, with a date and a name.

What it is not: an entry that is younger than the queue is allowed to wait, one of a class that somebody declared
harmless until a date, or one whose record a later run has moved.
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
from checks.facts import flow_errors, next_invoices
from checks.rows import candidates, listed


def find(_: Books, params: Params) -> ir.Table:
    """Unsettled errors that nobody owns, from the hour on at which somebody should."""
    rows = flow_errors.unsettled(params)
    rows = flow_errors.priced(rows.filter(rows.owner.fill_null("").strip() == ""))
    due = rows.raised_at + ibis.interval(hours=params.whole("hours"))
    return candidates(
        rows.mutate(
            since=rows.raised_at.strftime("%Y-%m-%d %H:%M"), says=rows.error.fill_null(rows.code).fill_null("")
        ),
        "integration_errors",
        "flow",
        "about",
        "since",
        "says",
        "unit",
        subject=rows.flow + "/" + rows.about,
        evidence=rows.entries.concat(listed(rows.bills)),
        fails_from=ibis.greatest(due, rows.ignored_until.fill_null(due)),
        known_at=rows.last_seen_at,
        said=rows.said,
        **{name: rows[name] for name in next_invoices.TERMS},
    )


CHECK = Check(
    id="error_queue_unowned",
    doc=__doc__,
    pattern=Pattern.SILENT_FAILURES,
    severity=Severity.S2,
    owners=(Owner.IT, Owner.BILLING_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*flow_errors.NEEDS, *next_invoices.NEEDS),
    settings=(
        Setting("hours", 4, "How long an error may wait for an owner: half a working day, as the queue is looked at."),
        flow_errors.IGNORED,
    ),
    absent_from=Need("integration_runs", "integration"),
    arithmetic=Arithmetic.of(flow_errors.WORTH, "0"),
    message="{flow} could not move {about} ({says}) and nobody has owned it since {since} UTC: {amount} {unit}.",
    find=find,
)
