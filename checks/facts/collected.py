"""Cash: payments that arrived, what of them went to which invoice, and what is left of each invoice.

A payment without a state counts as received. Where a system lists applications of a payment, they say what it paid;
otherwise the invoice that the payment names has all of it.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.facts import billed, credits
from checks.relation import Relation

NEEDS = (Need("payments", "billing"), Need("payment_applications", "billing").where_filled())
POSTED_NEEDS = (*NEEDS, *billed.INVOICE_NEEDS, *credits.NEEDS)
_MONEY = "decimal(38, 4)"


def _receipts(books: Books) -> ir.Table:
    """Payments that arrived, keyed by (system, key), with `applied` and `refunded`: what of them is accounted for."""
    payment = arrived(books)
    applied = APPLIED.table.group_by("system", "payment_key").agg(applied=lambda t: t.amount.sum().cast(_MONEY))
    joined = payment.left_join(applied, [payment.system == applied.system, payment.key == applied.payment_key])
    return joined.mutate(
        applied=joined.applied.fill_null(0).cast(_MONEY), refunded=joined.refunded_amount.fill_null(0)
    ).select(
        "system", "key", "account_key", "number", "amount", "currency", "paid_date", "applied", "refunded",
        "invoice_key", "modified_at",
    )  # fmt: skip


def _applied(books: Books) -> ir.Table:
    """What of a payment went to which invoice, less what was paid back: system, payment_key, invoice_key, amount."""
    payment = arrived(books)
    listed = books.table("payment_applications", "billing").select(
        l_system="system", l_payment="payment_key", l_invoice="invoice_key", l_amount="amount"
    )
    several = payment.inner_join(listed, [payment.system == listed.l_system, payment.key == listed.l_payment])
    several = several.select("system", "paid_date", payment_key="key", invoice_key="l_invoice", amount="l_amount")
    alone = payment.filter(payment.invoice_key.notnull())
    alone = alone.anti_join(listed, [alone.system == listed.l_system, alone.key == listed.l_payment])
    if books.systems("payment_applications", "billing"):
        # A system that lists applications and lists none of this payment has not applied it.
        alone = alone.filter(~alone.system.isin(books.systems("payment_applications", "billing")))
    whole = (alone.amount - alone.refunded_amount.fill_null(0)).cast("decimal(18, 4)")
    alone = alone.select("system", "paid_date", payment_key="key", invoice_key="invoice_key", amount=whole)
    return several.union(alone)


def arrived(books: Books) -> ir.Table:
    """Payments that arrived, as they are in the books."""
    payment = books.table("payments", "billing")
    return payment.filter(payment.status.fill_null("processed") == "processed")


APPLIED = Relation("applied_cash", _applied)
RECEIPTS = Relation("receipts", _receipts)


def paid(rows: ir.Table) -> ir.Table:
    """`rows` of invoices (system, key) with `collected`, what has been paid of them."""
    total = APPLIED.table.group_by(p_system="system", p_invoice="invoice_key").agg(
        collected=lambda t: t.amount.sum().cast(_MONEY)
    )
    joined = rows.left_join(total, [rows.system == total.p_system, rows.key == total.p_invoice])
    return joined.mutate(collected=joined.collected.fill_null(ibis.literal(0).cast(_MONEY))).drop(
        "p_system", "p_invoice"
    )


def posted(books: Books) -> ir.Table:
    """Posted invoices, keyed by (system, key): `total`, and what is `left` of it.

    That is without what was `collected`, `credited` or is `disputed`. `credited` and `left` are null where a memo's
    currency has no rate into the invoice's.
    """
    invoice = billed.invoices(books).filter(lambda t: (t.status == "posted") & t.total.notnull())
    invoice = invoice.mutate(disputed=invoice.disputed_amount.fill_null(0))
    invoice = paid(invoice.select("system", "key", "account_key", "currency", "due_date", "total", "disputed"))
    named = invoice.select("system", "key", "currency", invoice="key")
    invoice = credits.with_credits(books, invoice, ("system", "key"), named).drop("memos")
    left = invoice.total - invoice.disputed - invoice.collected - invoice.credited
    return invoice.mutate(left=left.cast(_MONEY))
