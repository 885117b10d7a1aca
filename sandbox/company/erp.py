"""Finance's side: every posted invoice is copied into the ERP within hours, and its revenue is planned there."""

from datetime import UTC, datetime, time, timedelta
from random import Random

from sandbox.company.billing import totals
from sandbox.company.catalog import OVER_TIME, PRODUCTS
from sandbox.company.documents import CreditMemo, ErpCredit, ErpInvoice, ErpLine, InvoiceLine, RevenueElement
from sandbox.company.world import World

COPY_LAG = timedelta(days=1)
"""The nightly job has taken what was posted longer ago than this."""


def copy_to_erp(world: World, rng: Random) -> None:
    """Copy what was posted more than a day ago, and the credit memos on it."""
    sums = totals(world)
    by_invoice: dict[str, list[InvoiceLine]] = {}
    for line in world.invoice_lines.values():
        by_invoice.setdefault(line.invoice_id, []).append(line)
    for invoice in world.invoices.values():
        if invoice.posted_at is None or invoice.posted_at > world.now - COPY_LAG:
            continue
        net, tax = sums[invoice.billing_id]
        copy = ErpInvoice(
            world.ids.erp("transaction", 50_001),
            f"INV{world.ids.number('erp invoice number'):06d}",
            invoice.billing_id,
            net + tax + invoice.total_shift,
            tax,
            invoice.posted_at + timedelta(hours=rng.randint(2, 9), seconds=rng.randint(0, 59)),
        )
        world.erp_invoices[copy.erp_id] = copy
        for line in by_invoice[invoice.billing_id]:
            _copy_line(world, copy, line)
    for memo in world.credit_memos.values():
        if memo.invoice_id is None or world.erp_invoices.where(invoice_id=memo.invoice_id):
            copy_credit(world, memo)


def remove_copy(world: World, copy: ErpInvoice) -> None:
    """As if the invoice had never reached the ERP."""
    for line in world.erp_lines.where(erp_invoice=copy.erp_id):
        del world.erp_lines[line.key]
        world.revenue.pop(line.key, None)
    for memo in world.credit_memos.where(invoice_id=copy.invoice_id):
        for credit in world.erp_credits.where(memo=memo.number):
            del world.erp_credits[credit.erp_id]
    del world.erp_invoices[copy.erp_id]


def _copy_line(world: World, copy: ErpInvoice, line: InvoiceLine) -> None:
    copied = ErpLine(world.ids.erp("transaction line", 700_001), copy.erp_id, line.billing_id)
    world.erp_lines[copied.key] = copied
    if PRODUCTS[line.product_code].recognition == OVER_TIME:
        world.revenue[copied.key] = RevenueElement(
            world.ids.erp("revenue element", 9_001), copied.key, line.amount, line.start, line.end
        )


def copy_credit(world: World, memo: CreditMemo) -> ErpCredit:
    """The memo comes over in the night after its day."""
    credit = ErpCredit(
        world.ids.erp("transaction", 50_001),
        f"CR{world.ids.number('erp credit number'):05d}",
        memo.number,
        datetime.combine(memo.day, time(23), UTC),
    )
    world.erp_credits[credit.erp_id] = credit
    return credit
