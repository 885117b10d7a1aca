"""An open exception has nobody who can work on it, or nobody has touched it for twice the time it may take.

Why it matters: the exception was found, told and counted, and its money is lost all the same, because everybody
believes that somebody else has it.

Usual cause: the owner has left or changed teams and owners.yaml was not kept up, or the case was acknowledged to stop
the reminders and then forgotten.

How to fix: give the case to somebody who works on it, or settle it. Correct owners.yaml, so that the next one finds an
owner.

What it is not: a case whose owner is on leave while a deputy stands in, one that waits for the customer until an
announced day, or a case about an orphaned case.
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
    Severity,
    Spans,
)
from checks.rows import candidates, listed, reference

_ID = "orphaned_exception"
_OVER = ("resolved", "verified")


def find(books: Books, _: Params) -> ir.Table:
    """Open cases, from the instant on at which nobody has them."""
    case = books.table("cases", "controls")
    case = case.filter(~case.state.isin(_OVER) & (case.check.fill_null("") != _ID))
    has_nobody = case.owner.isnull() | (~case.owner_active.fill_null(False) & case.deputy.isnull())
    case = case.mutate(has_nobody=has_nobody)
    off = case.filter(has_nobody | case.untouched_until.notnull())
    idle = (
        "has not been touched since " + ibis.coalesce(off.touched_at, off.opened_at).strftime("%Y-%m-%d %H:%M") + " UTC"
    )
    return candidates(
        off.mutate(
            reads=ibis.coalesce(off.number, off.key),
            of=off.check.fill_null("an unknown check"),
            state_now=off.has_nobody.ifelse(
                off.owner.fill_null("nobody") + " is not active and nobody stands in", idle
            ),
            unit=off.currency.fill_null(""),
        ),
        "cases",
        "reads",
        "of",
        "state_now",
        "unit",
        subject=ibis.coalesce(off.fingerprint, off.number, off.key),
        evidence=listed(reference(off.system, "cases", off.key)),
        fails_from=off.has_nobody.ifelse(off.opened_at, off.untouched_until),
        impact=off.amount.fill_null(0),
    )


CHECK = Check(
    id=_ID,
    doc=__doc__,
    pattern=Pattern.SILENT_FAILURES,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(Need("cases", "controls", may_be_empty=True),),
    arithmetic=Arithmetic.of("impact", "0"),
    message="{reads} of {of} about {amount} {unit}: {state_now}.",
    find=find,
)
