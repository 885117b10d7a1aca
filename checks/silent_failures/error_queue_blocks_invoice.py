"""A record of a customer lies in an error queue, and the customer is billed within days.

Why it matters: the invoice will be made without what could not be moved, and is wrong before it is posted. Nobody at
the billing platform can see that.

Usual cause: an amendment, a usage file or an address was refused by the target system, and the queue is worked on in
the order of arrival instead of by bill date.

How to fix: mend the record and run its flow again before the cut-off. If it can't be done in time, take the customer
out of the run and bill it by itself.

What it is not: an entry whose record a later run has moved, one of a class that somebody declared harmless until a
date, or one of a customer who is not billed in the next days.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import days_later, midnight
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
    """Unsettled errors of customers with a next invoice, from some days before its date on."""
    rows = flow_errors.unsettled(params).drop("currency")
    bill = next_invoices.first()
    rows = rows.inner_join(bill, rows.account_key == bill.b_account_key)
    rows = rows.mutate(**{name: rows[f"b_{name}"] for name in ("currency", "bills_on", *next_invoices.TERMS)})
    opens = midnight(days_later(rows.bills_on, -params.whole("days")))
    opens = ibis.greatest(opens, rows.raised_at)
    return candidates(
        rows.mutate(says=rows.error.fill_null(rows.code).fill_null("")),
        "integration_errors",
        "flow",
        "about",
        "says",
        "bills_on",
        subject=rows.flow + "/" + rows.about,
        evidence=rows.entries.concat(listed(rows.b_source)),
        fails_from=ibis.greatest(opens, rows.ignored_until.fill_null(opens)),
        known_at=rows.last_seen_at,
        **{name: rows[name] for name in next_invoices.TERMS},
    )


CHECK = Check(
    id="error_queue_blocks_invoice",
    doc=__doc__,
    pattern=Pattern.SILENT_FAILURES,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.IT),
    mode=Mode.BLOCK,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*flow_errors.NEEDS, *next_invoices.NEEDS),
    settings=(
        Setting("days", 5, "How many days before its bill date a customer's errors stop its invoices: a working week."),
        flow_errors.IGNORED,
    ),
    absent_from=Need("integration_runs", "integration"),
    arithmetic=Arithmetic.of(next_invoices.WORTH, "0"),
    message=(
        "{flow} could not move {about} ({says}), and the customer is billed on {bills_on}: {amount} {currency} without "
        "it."
    ),
    find=find,
)
