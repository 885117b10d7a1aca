"""An invoice was credited to be billed again, and what was billed again comes to less than what was credited.

Why it matters: the credit leaves the books at once. What the second invoice does not ask for is lost without anybody
having decided to give it away.

Usual cause: the memo took back the whole invoice and only some of its lines were billed again, or the second invoice
was never made.

How to fix: bill the rest, or enter the reason code that says that the difference was meant.

What it is not: a pair whose reason code says that less was to be billed again, a memo that is younger than the time
that the second invoice may take, or a plain credit that nothing was to follow.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit, known_sum
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
from checks.facts import billed, memos
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Memos by the invoice that bills again, where that invoice is missing or smaller than they are together."""
    pair = _pairs(books, params)
    invoice = _invoices(books)
    joined = pair.left_join(invoice, pair.rebill_key == invoice.i_name).mutate(
        memo_currency=lambda t: t.currency, currency=lambda t: ibis.coalesce(t.i_currency, t.currency)
    )
    rated = fx.with_rate(books, joined, "memo_currency", "currency", "memo_date")
    value = fx.converted(rated.amount, rated.rate)
    off = rated.group_by("system", "account_key", "pair", "currency").agg(
        key=rated.key.min(),
        rebill=rated.i_key.max(),
        rebill_number=rated.i_number.max(),
        rebilled=rated.i_total.max().fill_null(0),
        credited=known_sum(value),
        is_meant=rated.is_meant.any(),
        last_day=rated.memo_date.max(),
        stamp=rated.modified_at.max(),
        memos=collected(reference(rated.system, "credit_memos", rated.key)),
        invoices=reference(rated.i_system.max(), "invoices", rated.i_key.max()),
    )
    short = (off.credited - off.rebilled > half_unit(off.currency)).fill_null(True)
    off = off.filter(~off.is_meant & short)
    never = ibis.null("timestamp('UTC', 6)")
    return candidates(
        off,
        "credit_memos",
        subject=off.pair,
        evidence=listed(off.invoices).concat(off.memos),
        fails_from=off.rebill.isnull().ifelse(midnight(days_later(off.last_day, params.whole("rebill_days"))), never),
        known_at=off.stamp,
        again=ibis.coalesce("invoice " + off.rebill_number, "no invoice"),
        credited=off.credited,
        rebilled=off.rebilled,
    )


def _pairs(books: Books, params: Params) -> ir.Table:
    """Memos that name the invoice that bills again, or say by their reason that there is to be one."""
    memo = of_customers(books, memos.MEMOS.table)
    promised = memo.reason_code.isin(params.texts("rebill_codes")).fill_null(False)
    memo = memo.filter(memo.rebill_key.notnull() | promised)
    return memo.mutate(
        pair=ibis.coalesce(memo.rebill_key, memo.number, memo.key),
        is_meant=memo.reason_code.isin(params.texts("partial_codes")).fill_null(False),
    )


def _invoices(books: Books) -> ir.Table:
    """Live invoices by key and by number, for memos of the ERP know the number."""
    live = billed.invoices(books)
    wanted = {"i_system": "system", "i_key": "key", "i_number": "number", "i_total": "total", "i_currency": "currency"}
    named = live.select(i_name="key", **wanted).union(live.select(i_name="number", **wanted)).distinct()
    return named.filter(named.i_name.notnull())


CHECK = Check(
    id="credit_rebill_imbalance",
    doc=__doc__,
    pattern=Pattern.CREDITS,
    severity=Severity.S2,
    owners=(Owner.BILLING_OPS, Owner.FINANCE_OPS),
    mode=Mode.WARN,
    scope=Scope.CREDIT_MEMO,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(Need("invoices", "billing"), *memos.NEEDS, *fx.NEEDS, *CUSTOMER_NEEDS),
    one_of=("credit_memos",),
    settings=(
        Setting("rebill_days", 5, "Days in which the second invoice is made after the memo."),
        Setting("rebill_codes", ("credit_and_rebill", "rebill"), "Reasons that promise a second invoice."),
        Setting(
            "partial_codes",
            ("partial_rebill", "price_correction", "quantity_correction"),
            "Reasons by which less is billed again on purpose.",
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoices", "billing"),
    arithmetic=Arithmetic.of("credited", "rebilled"),
    message="{credited} {currency} was credited to be billed again; {again} asks for {rebilled}.",
    find=find,
)
