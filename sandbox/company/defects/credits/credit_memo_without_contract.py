"""Money is given away, and the memo does not say for what, why, or who allowed it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.crediting import grant
from sandbox.company.deals import Terms
from sandbox.company.documents import CreditMemo
from sandbox.company.labels import BILLING, ERP, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "credit_memo_without_contract"


def nobody_approved_it(story: Story) -> Plot:
    yield from _credited(story, Terms("SEAT-STD", story.rng.randint(60, 140)), approver=None)


def nobody_approved_an_annual_one(story: Story) -> Plot:
    yield from _credited(story, Terms("PLATFORM", 2, months=12), approver=None)


def a_small_one_without_a_reason(story: Story) -> Plot:
    contract = story.sell(6, Terms("SUPPORT", 2), bill_day=10)
    yield Stage.INVOICED
    invoice = story.world.invoices[story.posted(story.charge(contract, "SUPPORT"))[-2].invoice_id]
    memo = grant(story.world, invoice, local_price(Decimal(120), story.currency), None)
    _plant(story, memo, "small, and no reason code")


def typed_into_the_erp(story: Story) -> Plot:
    """Billing knows nothing of it, and it names no invoice."""
    contract = story.sell(8, Terms("SEAT-PRO", story.rng.randint(30, 70)))
    yield Stage.INVOICED
    invoice = story.world.invoices[story.posted(story.charge(contract, "SEAT-PRO"))[-2].invoice_id]
    amount = local_price(Decimal(story.rng.randint(900, 1_900)), story.currency)
    memo = grant(story.world, invoice, amount, "goodwill", day=story.today - timedelta(days=15), tax=Decimal(0))
    alone = replace(memo, billing_id=None, invoice_id=None)
    story.world.credit_memos[memo.number] = alone
    yield Stage.COPIED
    credit = story.world.erp_credits.where(memo=memo.number)[0]
    note = "entered in the ERP alone, without an invoice"
    story.plant(Planted(CHECK, ERP, "credit_memos", str(credit.erp_id), alone.amount, story.currency, note))


def _credited(story: Story, terms: Terms, approver: str | None) -> Plot:
    contract = story.sell(13, terms)
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, terms.product))[-1]
    net = min(document(line.amount / 4, story.currency), local_price(Decimal(3_000), story.currency))
    memo = grant(story.world, story.world.invoices[line.invoice_id], net, "price_correction", approver=approver)
    _plant(story, memo, "nobody approved it")


def _plant(story: Story, memo: CreditMemo, note: str) -> None:
    story.plant(Planted(CHECK, BILLING, "credit_memos", str(memo.billing_id), memo.amount, story.currency, note))


TALES = (
    Tale(nobody_approved_it, "USD"),
    Tale(nobody_approved_an_annual_one, "JPY"),
    Tale(a_small_one_without_a_reason, "EUR"),
    Tale(typed_into_the_erp, "GBP"),
)
