"""Credit memos: what is granted on invoices, why, and by whom."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from sandbox.company.amounts import document, local_price
from sandbox.company.billing import totals
from sandbox.company.deals import CLEAN_BATCH
from sandbox.company.documents import CreditMemo, Invoice, InvoiceLine
from sandbox.company.manual import repeat
from sandbox.company.world import World

APPROVERS = ("d.okafor", "l.brandt", "s.iyer")
REASONS = {
    "service_level": "A service level was missed.",
    "price_correction": "The price was corrected.",
    "goodwill": "Goodwill.",
    "outage": "Credit for the outage.",
    "credit_and_rebill": "Credited to be billed again.",
    "partial_rebill": "Credited, and billed again without what was waived.",
}
_SMALL_GOODWILL = Decimal(90)
"""In dollars: support may grant it with a reason code alone."""
_MOST = Decimal(2_000)
"""In dollars: what is granted without anybody looking at the sum."""


def grant_credits(world: World, rng: Random) -> None:
    """One invoice in a hundred is credited a tenth, some of it as small goodwill and some in a planned campaign."""
    for invoice_id, (net, _) in totals(world).items():
        invoice = world.invoices[invoice_id]
        # A credit would change what a planted defect has cost.
        is_clean = world.accounts[invoice.account_id].batch == CLEAN_BATCH
        is_free = not world.credit_memos.where(invoice_id=invoice_id)
        is_old = invoice.day <= world.today - timedelta(days=3)
        if invoice.posted_at is None or not is_old or net <= 0 or not is_clean or not is_free or rng.random() >= 0.012:
            continue
        currency = world.accounts[invoice.account_id].currency
        small = local_price(_SMALL_GOODWILL, currency)
        code = rng.choice(("service_level", "price_correction", "goodwill", "outage"))
        if code == "goodwill" and net > small:
            grant(world, invoice, small, code, approver=None)
        else:
            campaign = "outage credits" if code == "outage" else None
            tenth = min(document(net / 10, currency), local_price(_MOST, currency))
            grant(world, invoice, tenth, code, approver=rng.choice(APPROVERS), campaign=campaign)


def grant(
    world: World,
    invoice: Invoice,
    net: Decimal,
    code: str | None,
    *,
    approver: str | None = APPROVERS[0],
    day: date | None = None,
    campaign: str | None = None,
    rebill_id: str | None = None,
    tax: Decimal | None = None,
) -> CreditMemo:
    """A credit memo on an invoice, a few days after it unless `day` says when, with its tax unless that is given."""
    account = world.accounts[invoice.account_id]
    taxed = document(net * account.tax_rate, account.currency) if tax is None else tax
    memo = CreditMemo(
        number=f"CM{world.ids.number('credit number'):06d}",
        billing_id=world.ids.billing("adjustment"),
        account_id=account.crm_id,
        invoice_id=invoice.billing_id,
        amount=net + taxed,
        tax=taxed,
        day=day or min(invoice.day + timedelta(days=9), world.today - timedelta(days=2)),
        reason=REASONS[code] if code else None,
        reason_code=code,
        approved_by=approver,
        campaign=campaign,
        rebill_id=rebill_id,
    )
    world.credit_memos[memo.number] = memo
    return memo


def credit_and_rebill(
    world: World, invoice: Invoice, again: Sequence[InvoiceLine], code: str = "credit_and_rebill"
) -> tuple[CreditMemo, Invoice]:
    """Take a posted invoice back as a whole, and bill some of its lines again on another one the day after."""
    lines = world.on_invoice(invoice.billing_id)
    net, tax = sum((line.amount for line in lines), Decimal(0)), sum((line.tax for line in lines), Decimal(0))
    taken_back = invoice.day + timedelta(days=6)
    at = datetime.combine(taken_back + timedelta(days=1), time(10), UTC)
    rebill = replace(
        invoice,
        billing_id=world.ids.billing("invoice"),
        number=f"INV{world.ids.number('invoice number'):08d}",
        day=at.date(),
        due=at.date() + (invoice.due - invoice.day),
        run_id=None,
        created_at=at,
        posted_at=at + timedelta(hours=1),
    )
    memo = grant(world, invoice, net, code, day=taken_back, rebill_id=rebill.billing_id, tax=tax)
    world.invoices[rebill.billing_id] = rebill
    for line in again:
        repeat(world, line, rebill.billing_id)
    return memo, rebill
