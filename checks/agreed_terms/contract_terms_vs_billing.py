"""What an invoice bills for a period is not what the contract, with its amendments, says for it.

Why it matters: too little is lost revenue that grows with every period; too much is a dispute, a credit note and
a customer who checks every invoice from then on.

Usual cause: an amendment was applied late or not at all, a price or quantity was typed by hand, or a price per
year was entered as a price per month.

How to fix: correct the subscription to the terms in force, then bill the difference on a supplementary invoice or
credit it. If a new price was agreed, amend the contract first.

What it is not: a price or quantity that an amendment, a renewal or an agreed uplift explains, a part of a period
cut by another day count, a discount that was granted for the period, or what was already credited. While the
contracts are stale, nothing is said. What is billed exactly as before an uplift or a step of a ramp, from a schedule
that has been replaced, or with a discount that has ended, is left to the checks on those.
"""

from decimal import Decimal

import ibis.expr.types as ir

from books.reading import Books
from checks.contract import (
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
from checks.facts import behind_terms, billed, contract_periods, credits, discounts, expired_discounts, terms
from checks.rows import candidates


def find(books: Books, params: Params) -> ir.Table:
    """Billing periods of contract lines whose invoiced amount is not what the terms come to.

    A part of a period may differ by what `partial_days` cost, and any line by half a minor unit. What is billed
    after a cancellation is left to the check on cancellations, and what another check explains to that one.
    """
    rows = contract_periods.APART.table
    off = rows.filter(
        contract_periods.off_by(rows, params.whole("partial_days"))
        & ~(rows.is_cancelled & (rows.apart < 0)).fill_null(False)
    )
    for explained in (behind_terms.PERIODS, expired_discounts.PERIODS):
        off = off.anti_join(explained.table, list(contract_periods.KEY))
    off = contract_periods.with_records(books, off)
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        subject=off.contract_line_key,
        period=(off.period_start, off.period_end),
        invoice=off.invoice_key,
        line=off.key,
        **contract_periods.shown(off),
    )


CHECK = Check(
    id="contract_terms_vs_billing",
    doc=__doc__,
    pattern=Pattern.AGREED_TERMS,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.REVOPS),
    mode=Mode.BLOCK,
    scope=Scope.INVOICE,
    kind=MoneyKind.LEAK,
    negative_kind=MoneyKind.OVERBILL,
    spans=Spans.ACCOUNT,
    needs=(*terms.NEEDS, *billed.NEEDS, *credits.NEEDS, *discounts.NEEDS),
    settings=(
        Setting(
            "partial_days",
            contract_periods.PARTIAL_DAYS,
            "30-day months, actual months and days of the year put a part of a period up to three days apart.",
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=contract_periods.ARITHMETIC,
    message=(
        "Invoice {number} bills {actual} {currency} for {product_code} in the period from {period_start} to "
        "{period_end}; the contract comes to {expected}."
    ),
    find=find,
)
