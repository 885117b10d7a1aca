"""What a customer's contracts say was due for a product in a month, and what invoices say for it, are too far apart.

Why it matters: every single check looks for one way to go wrong. This one asks whether the sum is right, whatever the
way was: a gap here that no other check explains is one that nobody has thought of.

Usual cause: what the other checks find one by one: lines that never reached billing, wrong prices, skipped or doubled
periods, changes that took effect on another day.

How to fix: look first at the other cases of the customer. Where none explains the difference, compare the listed
contract lines and invoice lines period by period, and correct the side that is wrong.

What it is not: a contract's whole value held against one invoice, a bill that was made in another month than the one
it is for, an invoice of the last days, a difference within the tolerance, or an excess that a credit memo has taken
back.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import days_later, due_date, midnight, month_of, months_later
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import contract_periods, credits, terms, tied_out
from checks.rows import candidates, listed, reference

# Below the tolerance's half: what lies under it is not worth looking at twice.
_GUARD = 0.002


def find(books: Books, params: Params) -> ir.Table:
    """Months of a customer's product in which booked and billed differ; an excess counts after credits."""
    month = tied_out.recent(books, params.whole("months_back"))
    apart = (month.booked - month.billed).abs().cast("float64") > month.booked.cast("float64") * _GUARD
    off = _with_credits(books, month.filter(apart.fill_null(True)))
    off = tied_out.with_invoiced(off)
    return candidates(
        off.mutate(key=off.line),
        "contract_lines",
        "product_code",
        "month",
        subject=ibis.coalesce(off.account_key, "") + "/" + off.product_code + "/" + off.currency,
        period=(off.month, months_later(off.month, 1)),
        evidence=listed(reference(off.system, "contract_lines", off.line)).concat(off.invoiced),
        fails_from=midnight(days_later(off.last_due, params.whole("settle_days") + 1)),
        booked=off.booked,
        billed=off.billed,
        credited=off.credited,
    )


def _with_credits(books: Books, off: ir.Table) -> ir.Table:
    """`credited` is what memos took back of an excess, and never more than the excess."""
    line = contract_periods.LINES.table
    line = line.mutate(month=month_of(due_date(line.timing, line.since, line.until)))
    agreed = terms.LINES.table.select("account_key", "product_code", a_line="key")
    named = line.select("contract_line_key", "system", "currency", "month", invoice="invoice_key")
    named = named.inner_join(agreed, named.contract_line_key == agreed.a_line)
    named = named.select(*tied_out.KEY, "system", "invoice").distinct()
    credited = credits.with_credits(books, off, tied_out.KEY, named)
    excess = ibis.greatest(credited.billed - credited.booked, 0).cast(tied_out.MONEY)
    return credited.mutate(credited=ibis.least(credited.credited, excess).cast(tied_out.MONEY)).drop("memos")


CHECK = Check(
    id="booked_vs_billed_tieout",
    doc=__doc__,
    pattern=Pattern.TIE_OUTS,
    severity=Severity.S2,
    owners=(Owner.REVOPS, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*tied_out.NEEDS, *credits.NEEDS),
    settings=(
        Setting("months_back", 12, "Months that are still compared: what is older is for the auditors."),
        Setting("settle_days", 3, "Days after a due date within which its invoice may still be made."),
    ),
    tolerance=Tolerance(relative=Decimal("0.005")),
    arithmetic=Arithmetic.of("booked", "billed - credited"),
    message=(
        "In the month of {month}, {booked} {currency} of {product_code} were due by contract, and {billed} were billed."
    ),
    find=find,
)
