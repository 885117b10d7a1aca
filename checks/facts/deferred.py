"""What the general ledger did to a customer's balances, by currency and day, beside what was invoiced to be deferred.

Every kind of account and every origin is a sum of its own, none is netted with another: the roll-forward of deferred
revenue is opening + billed − recognised − credits + revaluation + manual journals = closing, and what billed revenue
became cash goes through it. A day is the posting's; an invoice counts on the day of its receivable, or on its own day
where the ledger has none. What lies before a customer's first entry is not looked at: the ledger may begin later
than the invoices.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.relation import Relation
from checks.rows import collected, reference, some

DAILY_NEEDS = (
    Need("ledger_entries", "erp"),
    Need("invoices", "erp"),
    Need("invoice_lines", "erp"),
    Need("accounts", "crm"),
)
NEEDS = (*DAILY_NEEDS, Need("accounting_periods", "erp"))
OF = ("account_key", "currency")
_WIDE = "decimal(38, 4)"
SUMS = (
    "deferred", "credited", "revalued", "by_hand", "recognised", "revenue", "receivable", "taxed", "gained", "other",
    "billed",
)  # fmt: skip


def _entries(books: Books) -> ir.Table:
    entry = books.table("ledger_entries", "erp")
    return entry.filter(entry.kind.notnull() & entry.account_key.notnull() & entry.posted_date.notnull())


def _daily(books: Books) -> ir.Table:
    """One row per customer, currency and day: `SUMS`, of which only `receivable` is debit positive.

    `deferred` is all that was posted to deferred revenue; `credited`, `revalued` and `by_hand` are the parts of it
    that credit memos took out and that revaluation and manual journals put in; `recognised` is what schedules earned,
    `revenue` all revenue, `gained` what revaluation earned. `waits_for` is the stamp of an invoice that the ledger
    does not have, `documents` what was posted.
    """
    posted = _posted(_entries(books))
    invoiced = _invoiced(books)
    both = posted.union(invoiced)
    of_day = both.group_by(*OF, "day").agg(
        **{name: both[name].sum().cast(_WIDE) for name in SUMS},
        waits_for=both.waits_for.max(),
    )
    since = posted.group_by(*OF).agg(since=posted.day.min())
    covered = of_day.inner_join(since, list(OF))
    return covered.filter(covered.day >= covered.since)


def _posted(entry: ir.Table) -> ir.Table:
    nothing = ibis.literal(0).cast("decimal(18, 4)")

    def part(which: ir.BooleanValue, sign: int = -1) -> ir.DecimalValue:
        return (which.fill_null(False).ifelse(entry.amount, nothing).sum() * sign).cast(_WIDE)

    deferred, revenue = entry.kind == "deferred_revenue", entry.kind == "revenue"
    known = ("deferred_revenue", "revenue", "receivable", "cash", "tax", "fx_revaluation")
    return entry.group_by(*OF, day="posted_date").agg(
        deferred=part(deferred),
        credited=part(deferred & (entry.origin == "credit_memo"), 1),
        revalued=part(deferred & (entry.origin == "revaluation")),
        by_hand=part(deferred & (entry.origin == "manual")),
        recognised=part(revenue & (entry.origin == "recognition")),
        revenue=part(revenue),
        receivable=part(entry.kind == "receivable", 1),
        taxed=part(entry.kind == "tax"),
        gained=part(entry.kind == "fx_revaluation"),
        other=part(~entry.kind.isin(known)),
        billed=nothing.cast(_WIDE),
        waits_for=ibis.null("timestamp('UTC', 6)"),
    )


def _invoiced(books: Books) -> ir.Table:
    """What the ERP's invoices bill of things that are earned over time."""
    entry = _entries(books).filter(lambda t: (t.kind == "receivable") & (t.origin == "invoice"))
    there = entry.group_by(p_account="account_key", p_document="document_key").agg(posted_on=entry.posted_date.min())
    invoice = books.table("invoices", "erp")
    invoice = invoice.filter(invoice.status.fill_null("posted") == "posted").select(
        i_system="system", i_key="key", i_account="account_key", i_currency="currency", i_date="invoice_date",
        i_stamp="modified_at",
    )  # fmt: skip
    invoice = invoice.left_join(there, [invoice.i_key == there.p_document, invoice.i_account == there.p_account])
    line = books.table("invoice_lines", "erp").filter(lambda t: t.recognition == "over_time")
    line = line.inner_join(invoice, [line.system == invoice.i_system, line.invoice_key == invoice.i_key])
    zero = ibis.literal(0).cast(_WIDE)
    rows = line.select(
        account_key="i_account",
        currency=ibis.coalesce(line.i_currency, line.currency),
        day=ibis.coalesce(line.posted_on, line.i_date),
        billed=line.amount.cast(_WIDE),
        waits_for=line.posted_on.isnull().ifelse(line.i_stamp, ibis.null("timestamp('UTC', 6)")),
    ).filter(lambda t: t.account_key.notnull() & t.day.notnull())
    others = {name: zero for name in SUMS if name != "billed"}
    return rows.mutate(**others).select(*OF, "day", *SUMS, "waits_for")


DAILY = Relation("ledger_days", _daily)


def _periods(books: Books) -> ir.Table:
    """The roll-forward of deferred revenue by customer, currency and accounting period in which anything happened.

    `opening` and `closing` are what the ledger says; `waits_for` as in `_daily`.
    """
    period = (
        books.table("accounting_periods", "erp").select(period_start="start_date", period_end="end_date").distinct()
    )
    daily = DAILY.table
    placed = daily.inner_join(period, [daily.day >= period.period_start, daily.day < period.period_end])
    summed = placed.group_by(*OF, "period_start", "period_end").agg(
        **{name: placed[name].sum().cast(_WIDE) for name in SUMS}, waits_for=placed.waits_for.max()
    )
    order = ibis.cumulative_window(group_by=[summed[name] for name in OF], order_by=summed.period_start)
    closing = summed.deferred.sum().over(order).cast(_WIDE)
    return summed.mutate(closing=closing, opening=(closing - summed.deferred).cast(_WIDE))


PERIODS = Relation("deferred_rollforward", _periods)


def with_account(books: Books, rows: ir.Table) -> ir.Table:
    """`rows` with the CRM's record of their account as `system` and `key`; those of test accounts are left out."""
    account = books.table("accounts", "crm").filter(lambda t: ~t.is_test.fill_null(False))
    account = account.group_by(a_account="account_key").agg(system=account.system.min(), key=account.key.min())
    return rows.inner_join(account, rows.account_key == account.a_account)


def with_entries(books: Books, rows: ir.Table, *kinds: str) -> ir.Table:
    """`rows` with `entries`: references to the ledger's entries of these kinds in their period."""
    entry = _entries(books).filter(lambda t: t.kind.isin(kinds))
    entry = entry.select(
        "account_key", "currency", e_day="posted_date", entry=reference(entry.system, "ledger_entries", entry.key)
    )
    key = (*OF, "period_start", "period_end")
    both = rows.select(*key).inner_join(entry, list(OF))
    both = both.filter((both.e_day >= both.period_start) & (both.e_day < both.period_end))
    gathered = both.group_by(*key).agg(entries=collected(both.entry))
    joined = rows.left_join(gathered, list(key))
    return joined.mutate(entries=some(joined.entries)).drop(*(f"{name}_right" for name in key))
