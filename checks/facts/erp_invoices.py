"""The ERP's invoices by every name under which others speak of them, and what of their lines is recognised."""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.amounts import known_sum
from checks.contract import Need
from checks.relation import Relation

NEEDS = (Need("invoices", "erp"), Need("invoice_lines", "erp"), Need("revenue_schedules", "erp"))
NAMED_NEEDS = (Need("invoices", "erp"), Need("invoices", "billing"))
_WIDE = "decimal(38, 4)"


def posted(books: Books) -> ir.Table:
    """Invoices of the ERP that are neither void nor drafts."""
    known = books.table("invoices", "erp")
    return known.filter(known.status.fill_null("posted") == "posted")


def _named(books: Books) -> ir.Table:
    """(name, e_system, e_key): own key, own number, and the billing platform's number and key."""
    own = posted(books)
    wanted = {"e_system": "system", "e_key": "key"}
    names = own.select(name="key", **wanted).union(own.select(name="number", **wanted))
    names = names.union(own.select(name="billing_key", **wanted))
    billed = books.table("invoices", "billing").select(b_key="key", b_number="number")
    by_number = own.inner_join(billed, own.billing_key == billed.b_number)
    names = names.union(by_number.select(name="b_key", e_system="system", e_key="key"))
    return names.filter(names.name.notnull()).distinct()


def _scheduled(books: Books) -> ir.Table:
    """Lines of posted ERP invoices that carry revenue, keyed by (system, key), with what their schedules say.

    `schedules` counts them, those that a credit memo made left out; `scheduled`, `allocated` and `recognized` are sums
    over them, null where one of them does not say. [`since`, `until`) are the days that they spread over.
    """
    invoice = posted(books).select(
        i_system="system", i_key="key", i_account="account_key", i_currency="currency", number="number",
        invoice_date="invoice_date",
    )  # fmt: skip
    line = books.table("invoice_lines", "erp").filter(lambda t: t.recognition.fill_null("") != "none")
    line = line.inner_join(invoice, [line.system == invoice.i_system, line.invoice_key == invoice.i_key])
    schedule = books.table("revenue_schedules", "erp").filter(lambda t: t.credit_memo_key.isnull())
    summed = schedule.group_by(r_system="system", r_line="invoice_line_key").agg(
        schedules=schedule.key.count(),
        scheduled=known_sum(schedule.amount, _WIDE),
        allocated=known_sum(schedule.allocated, _WIDE),
        recognized=known_sum(schedule.recognized, _WIDE),
        since=schedule.start_date.min(),
        until=schedule.end_date.max(),
        schedule_key=schedule.key.min(),
        schedule_stamp=schedule.modified_at.max(),
    )
    joined = line.left_join(summed, [line.system == summed.r_system, line.key == summed.r_line])
    return joined.mutate(
        account_key=ibis.coalesce(joined.account_key, joined.i_account),
        currency=ibis.coalesce(joined.currency, joined.i_currency),
        schedules=joined.schedules.fill_null(0),
    ).select(
        "system", "key", "account_key", "invoice_key", "number", "invoice_date", "billing_key", "product_code",
        "recognition", "amount", "currency", "period_start", "period_end", "modified_at", "schedules", "scheduled",
        "allocated", "recognized", "since", "until", "schedule_key", "schedule_stamp",
    )  # fmt: skip


NAMED = Relation("erp_invoice_names", _named)
SCHEDULED = Relation("scheduled_lines", _scheduled)
