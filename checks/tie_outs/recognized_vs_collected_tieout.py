"""What was recognised, deferred, taxed and left unpaid in a quarter does not come to the cash that was collected.

Why it matters: revenue without cash behind it, or cash without revenue, is either a mistake in the books or money that
somebody has. The two never agree directly; the balances between them say whether the difference is explained.

Usual cause: a payment was not posted, was posted twice, net of a fee, or to another customer.

How to fix: compare the quarter's payments with the ledger's entries, and post what is missing or reverse what is too
much.

What it is not: revenue that was paid in advance and is still deferred, revenue that is not due yet, tax, or a
revaluation: each is a step of its own on the way from revenue to cash, which are never compared directly.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import CycleColumns, days_later, midnight, quarter_start
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
from checks.facts import collected, deferred
from checks.facts.deferred import OF
from checks.rows import candidates, listed, reference

_WIDE = "decimal(38, 4)"
_STEPS = ("revenue", "deferred", "taxed", "other", "gained", "receivable")


def find(books: Books, params: Params) -> ir.Table:
    """Quarters in which the ledger's way from revenue to cash does not end at the payments."""
    ledger = _ledger()
    paid = _collected(books)
    key = [*OF, "quarter"]
    both = ledger.outer_join(paid, key)
    rows = both.select(
        **{name: ibis.coalesce(both[name], both[f"{name}_right"]) for name in key},
        **{name: both[name].fill_null(ibis.literal(0).cast(_WIDE)) for name in (*_STEPS, "collected")},
        stamp=both.stamp,
    )
    expected = rows.revenue + rows.deferred + rows.taxed + rows.other + rows.gained - rows.receivable
    rows = rows.filter((expected - rows.collected).abs() > half_unit(rows.currency))
    following = CycleColumns.of(rows.quarter, ibis.null("int64"), ibis.literal(3)).boundary(ibis.literal(1))
    off = deferred.with_account(books, rows.mutate(period_start=rows.quarter, period_end=following))
    off = deferred.with_entries(books, off, "cash", "receivable")
    return candidates(
        off,
        "accounts",
        subject=off.account_key + "/" + off.currency,
        period=(off.period_start, off.period_end),
        evidence=listed(reference(off.system, "accounts", off.key)).concat(off.entries),
        fails_from=midnight(days_later(off.period_end, params.whole("settle_days"))),
        known_at=off.stamp,
        recognised=off.revenue,
        newly_deferred=off.deferred,
        taxed=off.taxed,
        other=off.other,
        revalued=off.gained,
        newly_owed=off.receivable,
        collected=off.collected,
    )


def _ledger() -> ir.Table:
    """The ledger's days by quarter; what was deferred and owed is the change of its balance."""
    daily = deferred.DAILY.table
    daily = daily.mutate(quarter=quarter_start(daily.day))
    return daily.group_by(*OF, "quarter").agg(**{name: daily[name].sum().cast(_WIDE) for name in _STEPS})


def _collected(books: Books) -> ir.Table:
    """Payments that arrived, less what was paid back, by quarter, since the customer's first entry in the ledger."""
    payment = collected.arrived(books).filter(lambda t: t.paid_date.notnull())
    since = deferred.DAILY.table.group_by(*OF).agg(since=lambda t: t.since.min())
    payment = payment.inner_join(since, list(OF))
    payment = payment.filter(payment.paid_date >= payment.since)
    kept = (payment.amount - payment.refunded_amount.fill_null(0)).cast(_WIDE)
    payment = payment.mutate(quarter=quarter_start(payment.paid_date), kept=kept)
    return payment.group_by(*OF, "quarter").agg(
        collected=payment.kept.sum().cast(_WIDE), stamp=payment.modified_at.max()
    )


CHECK = Check(
    id="recognized_vs_collected_tieout",
    doc=__doc__,
    pattern=Pattern.TIE_OUTS,
    severity=Severity.S3,
    owners=(Owner.REVENUE_ACCOUNTING, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(*deferred.DAILY_NEEDS, Need("payments", "billing")),
    settings=(Setting("settle_days", 5, "Days after the quarter in which finance posts what belongs to it."),),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("ledger_entries", "erp"),
    lag_minutes=1440,
    arithmetic=Arithmetic.of(
        "recognised + newly_deferred + taxed + other + revalued - newly_owed", "collected", "expected - actual"
    ),
    message=(
        "From {period_start} to {period_end} the ledger explains {expected} {currency} of cash; {actual} was collected."
    ),
    find=find,
)
