"""A posted credit memo lowers what the customer owes, and nothing lowers the revenue that was recognised for it.

Why it matters: revenue that was given back stays in the books. The period is overstated, and the difference turns up
as an unexplained balance long after the people who granted the credit have forgotten why.

Usual cause: the memo was booked against a clearing account or an expense, or the ERP made no revenue element for it.

How to fix: book the memo against revenue and deferred revenue in the shares in which the invoice has been recognised,
or let the ERP adjust the invoice's revenue arrangement.

What it is not: a credit of tax alone, a credit of what is still wholly deferred, or a memo that is younger than the
time that revenue accounting may take.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import known_sum
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
    Tolerance,
)
from checks.facts import erp_invoices, memos
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, listed, reference, some

WHOLE = ibis.literal(Decimal(1)).cast("decimal(38, 4)")
NOTHING = ibis.literal(Decimal(0)).cast("decimal(38, 4)")


def find(books: Books, _: Params) -> ir.Table:
    """Posted memos without a posting to revenue, with the share of their invoice that has been recognised."""
    memo = of_customers(books, memos.MEMOS.table).filter(lambda t: t.status.fill_null("posted") == "posted")
    memo = memo.filter(memo.amount - memo.tax.fill_null(0) > 0).mutate(net=memo.amount - memo.tax.fill_null(0))
    entry = books.table("ledger_entries", "erp").filter(lambda t: t.kind.notnull())
    booked = entry.select("account_key").distinct()
    memo = memo.semi_join(booked, "account_key")
    treated = _treated(books, entry)
    memo = memo.anti_join(treated, [memo.system == treated.t_system, memo.key == treated.t_key])
    share = _recognised(memo)
    off = memo.left_join(share, [memo.system == share.s_system, memo.key == share.s_key])
    # A memo that names no invoice takes back something of which nothing is deferred.
    alone = off.invoice_key.isnull()
    off = off.mutate(
        recognised=alone.ifelse(WHOLE, off.s_any.isnull().ifelse(NOTHING, off.s_recognised)),
        invoiced=alone.ifelse(WHOLE, off.s_whole.fill_null(WHOLE)),
    )
    off = off.filter((off.invoiced > 0) & (off.recognised > 0).fill_null(True))
    return candidates(
        off,
        "credit_memos",
        subject=ibis.coalesce(off.number, off.key),
        evidence=listed(
            reference(off.system, "credit_memos", off.key), reference(off.s_erp, "invoices", off.s_invoice)
        ).concat(some(off.s_lines)),
        known_at=off.modified_at,
        memo=ibis.coalesce(off.number, off.key),
        net=off.net,
        recognised=off.recognised,
        invoiced=off.invoiced,
    )


def _treated(books: Books, entry: ir.Table) -> ir.Table:
    """(t_system, t_key) of memos with an entry in revenue or deferred revenue, or with a revenue schedule."""
    posted = entry.filter(entry.kind.isin(("revenue", "deferred_revenue"))).select(name="document_key")
    scheduled = books.table("revenue_schedules", "erp").select(name="credit_memo_key")
    either = posted.union(scheduled).filter(lambda t: t.name.notnull()).distinct()
    return memos.KNOWN_AS.table.inner_join(either, "name").select(t_system="system", t_key="key").distinct()


def _recognised(memo: ir.Table) -> ir.Table:
    """By memo, what its invoice's lines come to and what of that is recognised; null where a schedule does not say."""
    line = erp_invoices.SCHEDULED.table
    over_time = line.recognition.fill_null("over_time") == "over_time"
    amount = line.amount.cast("decimal(38, 4)")
    line = line.mutate(
        earned=(line.schedules > 0).ifelse(line.recognized, over_time.ifelse(NOTHING, amount)), whole=amount
    ).select("earned", "whole", "invoice_key", l_system="system", l_key="key")
    named = erp_invoices.NAMED.table
    of_memo = memo.select(s_system="system", s_key="key", name="invoice_key").inner_join(named, "name")
    joined = of_memo.inner_join(line, [of_memo.e_system == line.l_system, of_memo.e_key == line.invoice_key])
    return joined.group_by("s_system", "s_key").agg(
        s_any=joined.count(),
        s_recognised=known_sum(joined.earned, "decimal(38, 4)"),
        s_whole=joined.whole.sum().cast("decimal(38, 4)"),
        s_erp=joined.e_system.max(),
        s_invoice=joined.e_key.max(),
        s_lines=collected(reference(joined.l_system, "invoice_lines", joined.l_key)),
    )


CHECK = Check(
    id="credit_memo_without_revenue_treatment",
    doc=__doc__,
    pattern=Pattern.CREDITS,
    severity=Severity.S2,
    owners=(Owner.REVENUE_ACCOUNTING, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.CREDIT_MEMO,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(
        *erp_invoices.NEEDS,
        *erp_invoices.NAMED_NEEDS,
        Need("ledger_entries", "erp"),
        *memos.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    one_of=("credit_memos",),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("ledger_entries", "erp"),
    lag_minutes=1440,
    arithmetic=Arithmetic.of("0", "net * recognised / invoiced", "actual - expected"),
    message=(
        "Credit memo {memo} takes back {net} {currency} without tax, and nothing lowers the revenue; {amount} of it "
        "has been recognised."
    ),
    find=find,
)
