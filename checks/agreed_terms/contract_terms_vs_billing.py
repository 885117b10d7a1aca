"""What an invoice bills for a period is not what the contract, with its amendments, says for it.

Why it matters: too little is lost revenue that grows with every period; too much is a dispute, a credit note and
a customer who checks every invoice from then on.

Usual cause: an amendment was applied late or not at all, a price or quantity was typed by hand, or a price per
year was entered as a price per month.

How to fix: correct the subscription to the terms in force, then bill the difference on a supplementary invoice or
credit it. If a new price was agreed, amend the contract first.

What it is not: a price or quantity that an amendment, a renewal or an agreed uplift explains, a part of a period
cut by another day count, a discount on a line of its own, or what was already credited. While the contracts are
stale, nothing is said.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.periods import midnight
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
from checks.facts import billed, contract_periods, credits, terms
from checks.rows import candidates


def find(books: Books, params: Params) -> ir.Table:
    """Billing periods of contract lines whose invoiced amount is not what the terms come to.

    A part of a period may differ by what `partial_days` cost, and any line by half a minor unit. What is billed
    after a cancellation is left to the check on cancellations.
    """
    rows = contract_periods.APART.table
    slack = rows.rounding + (rows.part_a_day * params.whole("partial_days")).cast(rows.rounding.type())
    is_off = (rows.apart.abs() > product(slack, rows.scale)).fill_null(True)
    off = rows.filter(is_off & ~(rows.is_cancelled & (rows.apart < 0)).fill_null(False))
    off = contract_periods.with_records(books, off)
    changes_later = (off.timing.fill_null("advance") != "arrears") & (off.last_start > off.since)
    return candidates(
        off,
        "invoice_lines",
        "number",
        "product_code",
        subject=off.contract_line_key,
        period=(off.period_start, off.period_end),
        evidence=off.invoiced.concat(off.agreed).concat(off.memos),
        invoice=off.invoice_key,
        line=off.key,
        # A change within a period that was billed in advance is billed with the next one.
        fails_from=changes_later.ifelse(midnight(off.period_end), ibis.null("timestamp('UTC', 6)")),
        quantity=off.quantity,
        unit_price=off.unit_price,
        days=off.days,
        added=off.added,
        months=off.months,
        price_months=off.price_months,
        period_days=off.period_days,
        billed=off.billed,
        rate=off.rate,
        credited=off.credited,
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
    needs=(*terms.NEEDS, *billed.NEEDS, *credits.NEEDS),
    settings=(
        Setting(
            "partial_days",
            3,
            "30-day months, actual months and days of the year put a part of a period up to three days apart.",
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of(
        "(quantity * unit_price * days + added) * months / (price_months * period_days)",
        "billed * rate",
        "expected - actual + min(credited, max(0, actual - expected))",
    ),
    message=(
        "Invoice {number} bills {actual} {currency} for {product_code} in the period from {period_start} to "
        "{period_end}; the contract comes to {expected}."
    ),
    find=find,
)
