"""A posted invoice is not in the ERP, or stands there with another total.

Why it matters: receivables, revenue and tax are reported from the ERP. What is missing there is not collected on
time, and the two systems close the month with different figures.

Usual cause: the transfer of one batch failed, an item or a customer was not mapped, or somebody edited one side.

How to fix: transfer the invoice again, or correct the side that is wrong so that both totals agree.

What it is not: an invoice that was posted within the time that the transfer may take, one that the ERP holds in
several documents or in another currency with the same total, or a draft.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit, known_sum
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
from checks.rows import candidates, reference, some


def find(books: Books, _: Params) -> ir.Table:
    """Posted invoices against the ERP's by number; an invoice that is void in the ERP is not there."""
    posted = books.table("invoices", "billing").filter(lambda t: t.status == "posted")
    there = books.table("invoices", "erp").filter(lambda t: t.status.fill_null("posted") == "posted")
    there = there.select(e_key="key", e_system="system", e_number="billing_key", e_total="total", e_currency="currency")
    joined = posted.left_join(there, posted.number == there.e_number)
    joined = joined.mutate(e_currency=ibis.coalesce(joined.e_currency, joined.currency))
    rated = fx.with_rate(books, joined, "e_currency", "currency", "invoice_date")
    total = rated.group_by("system", "key").agg(
        erp_total=known_sum(fx.converted(rated.e_total.fill_null(0), rated.rate)),
        copies=rated.e_key.count(),
        erp=reference(rated.e_system, "invoices", rated.e_key).collect(),
    )
    both = posted.inner_join(total, ["system", "key"])
    apart = (both.total.fill_null(0) - both.erp_total).abs() > half_unit(both.currency)
    off = both.filter((both.copies == 0) | both.erp_total.isnull() | apart)
    stamp = ibis.coalesce(off.posted_at, off.modified_at)
    return candidates(
        off,
        "invoices",
        "number",
        subject=ibis.coalesce(off.number, off.key),
        evidence=ibis.array([reference(off.system, "invoices", off.key)]).concat(some(off.erp)),
        invoice=off.key,
        known_at=(off.copies == 0).ifelse(stamp, off.modified_at),
        total=off.total.fill_null(0),
        erp_total=off.erp_total,
        state=(off.copies == 0).ifelse("is not in the ERP", "stands in the ERP with another total"),
    )


CHECK = Check(
    id="invoice_not_in_erp",
    doc=__doc__,
    pattern=Pattern.INCOMPLETE_WRITES,
    severity=Severity.S2,
    owners=(Owner.FINANCE_OPS, Owner.IT),
    mode=Mode.MONITOR,
    scope=Scope.INVOICE,
    kind=MoneyKind.EXPOSURE,
    spans=Spans.ACCOUNT,
    needs=(Need("invoices", "billing"), Need("invoices", "erp"), *fx.NEEDS),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoices", "erp"),
    lag_minutes=1440,
    arithmetic=Arithmetic.of("total", "erp_total"),
    message="Invoice {number} of {total} {currency} {state}: {erp_total} there.",
    find=find,
)
