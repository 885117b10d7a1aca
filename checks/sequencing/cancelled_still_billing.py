"""An invoice bills days on which the subscription or its contract was already cancelled.

Why it matters: the customer has left and is still charged, which ends in a refund, a dispute, or a complaint to
a regulator.

Usual cause: the cancellation was entered in the CRM only, or was entered after the period had been billed in
advance and no credit was made.

How to fix: remove the days from the draft, or credit them, and make sure that the cancellation is in both systems.

What it is not: days up to the cancellation date, which is the end of the notice period where there is one; usage
and one-time charges that are settled afterwards; what was already credited or taken back by a negative line.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER, days, midnight
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import billed, credits, terms
from checks.rows import candidates, collected, listed, reference, some

KEY = ("system", "key")


def find(books: Books, _: Params) -> ir.Table:
    """Recurring lines whose days reach past the cancellation, with the part after it, less what was credited."""
    rows = _cancelled(books).anti_join(billed.REPEATED.table, list(KEY))
    late = rows.filter(rows.amount > 0)
    taken = _taken_back(rows)
    late = late.left_join(taken, list(KEY)).drop("system_right", "key_right")
    late = credits.with_credits(books, late, KEY, late.select(*KEY, "currency", invoice="invoice_key"))
    seen = listed(
        reference(late.system, "invoice_lines", late.key),
        reference(late.system, "subscription_lines", late.line_of),
        reference(late.c_system, "contracts", late.c_key),
    )
    first = ibis.greatest(late.since, late.cancelled)
    return candidates(
        late,
        "invoice_lines",
        "number",
        "cancelled",
        subject=late.bills,
        period=(late.since, late.until),
        evidence=seen.concat(some(late.takers)).concat(late.memos),
        invoice=late.invoice_key,
        line=late.key,
        fails_from=(late.status == "draft").ifelse(ibis.null("timestamp('UTC', 6)"), midnight(late.cancelled)),
        billed=late.amount,
        days_after=days(first, late.until),
        days_billed=days(late.since, late.until),
        credited=late.credited + late.taken.fill_null(0),
    )


def _cancelled(books: Books) -> ir.Table:
    """Recurring lines of what was cancelled; the earliest of the subscription's, contract's and line's dates counts."""
    line = billed.LINES.table
    line = line.filter(line.kind.isin(("recurring", "credit")) & line.since.notnull() & line.bills.notnull())
    line = line.filter(line.s_charge_type.fill_null("recurring") == "recurring")
    agreed = terms.LINES.table.select(g_key="key", g_cancelled="cancelled_on")
    contract = books.table("contracts", "crm").select(c_system="system", c_key="key", c_cancelled="cancelled_date")
    joined = line.left_join(agreed, line.contract_line_key == agreed.g_key)
    joined = joined.left_join(contract, joined.contract_key == contract.c_key)
    joined = joined.mutate(
        cancelled=ibis.least(
            joined.g_cancelled.fill_null(FOREVER),
            joined.c_cancelled.fill_null(FOREVER),
            joined.s_cancelled_date.fill_null(FOREVER),
        )
    )
    return joined.filter((joined.cancelled < FOREVER) & (joined.until > joined.cancelled))


def _taken_back(rows: ir.Table) -> ir.Table:
    """Per line what negative lines of the same thing gave back for days within its own, after the cancellation."""
    back = rows.filter(rows.amount < 0).select(
        "system", "bills", t_key="key", t_since="since", t_until="until", t_amount="amount"
    )
    over = rows.filter(rows.amount > 0).select("system", "key", "bills", "since", "until", "invoice_date")
    both = over.inner_join(back, ["system", "bills"])
    both = both.filter((both.t_since >= both.since) & (both.t_until <= both.until))
    once = ibis.row_number().over(group_by=[both.system, both.t_key], order_by=[both.invoice_date, both.key])
    both = both.mutate(once=once).filter(lambda t: t.once == 0)
    return both.group_by(*KEY).agg(
        taken=(-both.t_amount).sum().cast("decimal(38, 4)"),
        takers=collected(reference(both.system, "invoice_lines", both.t_key)),
    )


CHECK = Check(
    id="cancelled_still_billing",
    doc=__doc__,
    pattern=Pattern.SEQUENCING,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(
        *billed.NEEDS,
        *credits.NEEDS,
        *(need.where_filled() for need in terms.LINE_NEEDS),
    ),
    one_of=("subscriptions", "contracts"),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("0", "max(0, billed * days_after / days_billed - credited)", "actual - expected"),
    message=(
        "Invoice {number} bills {billed} {currency} for {period_start} to {period_end}, but the service was cancelled "
        "as of {cancelled}: {days_after} of {days_billed} days are too many."
    ),
    find=find,
)
