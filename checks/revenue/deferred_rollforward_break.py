"""Deferred revenue at the end of a period is not what it was before, plus what was billed, minus what was recognised.

Why it matters: deferred revenue is a debt to the customer. Where its roll-forward breaks, either the debt or the
revenue of the period is wrong, and the auditors ask for this table first.

Usual cause: an invoice was booked to revenue at once, a recognition journal hit another account, or the ledger lacks
an invoice.

How to fix: find the posting that does not match the invoice, the schedule or the credit, and reclassify it in the
open period.

What it is not: revaluation of a foreign currency and journals by hand, which are lines of their own in the
roll-forward, a period that has only just ended, or time before the customer's first entry in the ledger.
"""

from decimal import Decimal

import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
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
    Tolerance,
)
from checks.facts import deferred
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Periods in which the ledger's closing balance is another one than the roll-forward comes to."""
    rows = deferred.PERIODS.table
    expected = rows.opening + rows.billed - rows.recognised - rows.credited + rows.revalued + rows.by_hand
    off = rows.filter((expected - rows.closing).abs() > half_unit(rows.currency))
    off = deferred.with_entries(books, deferred.with_account(books, off), "deferred_revenue", "revenue")
    return candidates(
        off,
        "accounts",
        subject=off.account_key + "/" + off.currency,
        period=(off.period_start, off.period_end),
        evidence=listed(reference(off.system, "accounts", off.key)).concat(off.entries),
        fails_from=midnight(days_later(off.period_end, params.whole("settle_days"))),
        known_at=off.waits_for,
        opening=off.opening,
        billed=off.billed,
        recognised=off.recognised,
        credits=off.credited,
        revalued=off.revalued,
        by_hand=off.by_hand,
        closing=off.closing,
    )


CHECK = Check(
    id="deferred_rollforward_break",
    doc=__doc__,
    pattern=Pattern.REVENUE,
    severity=Severity.S2,
    owners=(Owner.REVENUE_ACCOUNTING, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=deferred.NEEDS,
    settings=(Setting("settle_days", 3, "Days after the period in which finance posts what belongs to it."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("ledger_entries", "erp"),
    lag_minutes=1440,
    arithmetic=Arithmetic.of(
        "opening + billed - recognised - credits + revalued + by_hand", "closing", "expected - actual"
    ),
    message=(
        "Deferred revenue closes at {actual} {currency} before {period_end}; the roll-forward comes to {expected}."
    ),
    find=find,
)
