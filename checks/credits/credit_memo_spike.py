"""A customer was granted more in credit memos within a short time than the limit allows.

Why it matters: many credits at once are how a wrong invoice run is repaired by hand, how a price is lowered past the
approvers, and how money is taken out. Somebody who did not grant them should look at them while it is early.

Usual cause: a wrong run was credited memo by memo, or a large concession was split into small memos.

How to fix: go through the memos together, keep those that are right and approved, and take the others back.

What it is not: planned credits to many customers, which carry the name of their campaign, or a sum that stays at the
limit.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.periods import days_later
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
from checks.facts import memos
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, reference

OF = ("system", "account_key", "currency")


def find(books: Books, params: Params) -> ir.Table:
    """Windows that end on the day of a memo and hold more than the limit; of windows that touch, the first one."""
    window = params.whole("window_days")
    memo = of_customers(books, memos.converted_to(params.text("limit_currency")))
    memo = memo.filter(memo.campaign.isnull() & memo.memo_date.notnull())
    day = memo.group_by(*OF, last_day="memo_date", limit_currency="limit_currency").agg(key=memo.key.min())
    inside = memo.select(*OF, "amount", "memo_date", m_key="key")
    both = day.inner_join(inside, list(OF))
    both = both.filter((both.memo_date <= both.last_day) & (both.memo_date > days_later(both.last_day, -window)))
    total = both.group_by(*OF, "last_day", "limit_currency", "key").agg(
        credited=both.amount.sum().cast("decimal(38, 4)"),
        count=both.m_key.count(),
        memos=collected(reference(both.system, "credit_memos", both.m_key)),
    )
    total = fx.with_rate(books, total, "currency", "limit_currency", "last_day")
    limit = ibis.literal(params.decimal("limit")).cast("decimal(38, 9)")
    total = total.filter((product(total.credited, total.rate) > limit).fill_null(True))
    before = total.last_day.lag().over(group_by=[total[name] for name in OF], order_by=total.last_day)
    total = total.mutate(before=before)
    off = total.filter((total.before <= days_later(total.last_day, -window)).fill_null(True))
    return candidates(
        off,
        "credit_memos",
        subject=off.account_key.fill_null(off.key) + "/" + off.currency,
        period=(days_later(off.last_day, 1 - window), days_later(off.last_day, 1)),
        evidence=off.memos,
        count=off["count"],
        credited=off.credited,
        limit=limit,
        rate=off.rate,
    )


CHECK = Check(
    id="credit_memo_spike",
    doc=__doc__,
    pattern=Pattern.CREDITS,
    severity=Severity.S3,
    owners=(Owner.FINANCE_OPS, Owner.BILLING_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(Need("invoices", "billing"), *memos.NEEDS, *fx.NEEDS, *CUSTOMER_NEEDS),
    one_of=("credit_memos",),
    settings=(
        Setting("limit", 10_000, "What one customer may be credited within the window before somebody looks at it."),
        Setting("limit_currency", "USD", "The currency of the limit; other currencies are converted on the last day."),
        Setting("window_days", 1, "Memos carry a day and no hour, so that 24 hours are one day."),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("limit / rate", "credited", "actual"),
    message="{count} credit memos of {credited} {currency} up to {period_end}, where {expected} is the limit.",
    find=find,
)
