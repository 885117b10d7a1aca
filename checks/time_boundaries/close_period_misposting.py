"""A document was posted into another accounting period than its date says, into one that was closed, or too early.

Why it matters: a closed period has been reported. What is posted into it, or taken into a period before its time,
changes figures that others have relied on.

Usual cause: somebody reopened a period, an import carried its own period, or revenue was recognised before the service.

How to fix: move the posting to the open period, or have the controller approve that it stays.

What it is not: a late entry that was approved or overridden on the record, a posting made before the period was
closed, or revenue that is caught up after its service.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.reading import Books
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
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.rows import candidates, collected, reference

EXCUSES = (
    Need("approvals", "erp").where_filled(),
    Need("approvals", "crm").where_filled(),
    Need("overrides", "controls").where_filled(),
)


def find(books: Books, _: Params) -> ir.Table:
    """Documents with an entry in the wrong period; the amount is what they debit there."""
    entry = of_customers(books, books.table("ledger_entries", "erp"))
    period = _periods(books)
    placed = entry.inner_join(period, entry.period_key == period.name)
    early = (placed.origin == "recognition") & (placed.service_date >= placed.period_end)
    outside = (placed.posted_date < placed.period_start) | (placed.posted_date >= placed.period_end)
    late = placed.modified_at.cast("date") > placed.closed_on
    wrong = placed.mutate(
        early=early.fill_null(False),
        outside=outside.fill_null(False),
        late=late.fill_null(False),
        document=ibis.coalesce(placed.document_key, placed.key),
    )
    wrong = wrong.filter(wrong.early | wrong.outside | wrong.late)
    excused = _excused(books)
    wrong = wrong.anti_join(excused, wrong.document == excused.record)
    of_entry = excused.select(entry="record")
    wrong = wrong.anti_join(of_entry, wrong.key == of_entry.entry)
    nothing = ibis.literal(0).cast("decimal(18, 4)")
    off = wrong.group_by("system", "account_key", "currency", "document", "period_start", "period_end").agg(
        key=wrong.key.min(),
        debited=(wrong.amount > 0).ifelse(wrong.amount, nothing).sum().cast("decimal(38, 4)"),
        credited=(wrong.amount < 0).ifelse(-wrong.amount, nothing).sum().cast("decimal(38, 4)"),
        early=wrong.early.any(),
        outside=wrong.outside.any(),
        entries=collected(reference(wrong.system, "ledger_entries", wrong.key)),
        period_name=wrong.period_name.min(),
    )
    return candidates(
        off,
        "ledger_entries",
        "document",
        "period_name",
        subject=off.document,
        period=(off.period_start, off.period_end),
        evidence=off.entries,
        why=ibis.cases(
            (off.outside, "its date lies in another period"),
            (off.early, "its service begins later"),
            else_="the period was closed before",
        ),
        debited=off.debited,
        credited=off.credited,
    )


def _periods(books: Books) -> ir.Table:
    """Accounting periods by key and by name, for a ledger may name them either way."""
    known = books.table("accounting_periods", "erp")
    wanted = {"period_start": "start_date", "period_end": "end_date", "closed_on": "closed_on"}
    shown = ibis.coalesce(known.name, known.key)
    by_key = known.select(name="key", period_name=shown, **wanted)
    by_name = known.filter(known.name.notnull()).select(name="name", period_name=shown, **wanted)
    return by_key.union(by_name).distinct()


def _excused(books: Books) -> ir.Table:
    """Documents or entries (`record`) of which somebody has said that they may stand where they do."""
    approval = books.table("approvals", "erp").union(books.table("approvals", "crm"))
    approval = approval.filter((approval.status == "approved") & approval.kind.isin(("posting", "override")))
    override = books.table("overrides", "controls")
    override = override.filter((override["check"] == CHECK_ID) & override.approved_by.notnull())
    records = approval.select(record="record_key").union(override.select(record="invoice_key"))
    return records.filter(records.record.notnull()).distinct()


CHECK_ID = "close_period_misposting"
CHECK = Check(
    id=CHECK_ID,
    doc=__doc__,
    pattern=Pattern.TIME_BOUNDARIES,
    severity=Severity.S2,
    owners=(Owner.REVENUE_ACCOUNTING, Owner.FINANCE_OPS),
    mode=Mode.MONITOR,
    scope=Scope.ACCOUNT,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(Need("ledger_entries", "erp"), Need("accounting_periods", "erp"), *EXCUSES, *CUSTOMER_NEEDS),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    arithmetic=Arithmetic.of("0", "max(debited, credited)", "actual - expected"),
    message="Document {document} of {amount} {currency} stands in {period_name}, and {why}.",
    find=find,
)
