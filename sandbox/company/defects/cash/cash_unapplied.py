"""Money arrived and lies on the account."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.billing import pay
from sandbox.company.deals import Terms
from sandbox.company.documents import Invoice, Payment
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "cash_unapplied"


def remittance_without_number(story: Story) -> Plot:
    """Nothing of it was applied, for a month."""
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(30, 90)))
    yield Stage.COPIED
    invoice = _paid(story, contract.crm_id)
    receipt = _receipt(story, invoice, Decimal(1), days=34)
    _plant(story, receipt, receipt.amount, "names no invoice")


def paid_twice(story: Story) -> Plot:
    """The second payment of an invoice found nothing left to pay, four months ago."""
    contract = story.sell(9, Terms("SUPPORT", 3))
    yield Stage.COPIED
    invoice = _paid(story, contract.crm_id)
    again = _receipt(story, invoice, Decimal(1), days=125)
    _plant(story, again, again.amount, "the invoice had been paid before")


def paid_too_much(story: Story) -> Plot:
    """A part of a payment is left over, of which a part was paid back."""
    contract = story.sell(7, Terms("SEAT-PRO", story.rng.randint(20, 60)))
    yield Stage.COPIED
    invoice = _paid(story, contract.crm_id)
    extra = document(story.world.settled(invoice.billing_id) / 4, story.currency)
    for paid in story.world.payments.where(invoice_id=invoice.billing_id)[-1:]:
        more = replace(paid, amount=paid.amount + extra * 2, applied=paid.amount, refunded=extra)
        story.world.payments[paid.billing_id] = more
        _plant(story, more, extra, "more than the invoice, and only half of the rest was paid back")


def _paid(story: Story, contract_id: str) -> Invoice:
    """An invoice of the contract that was paid at least a month ago."""
    world = story.world
    long_ago = world.today - timedelta(days=40)
    paid = [paid for paid in world.payments.values() if paid.settled and paid.day < long_ago and paid.invoice_id]
    invoices = [world.invoices[p.invoice_id] for p in paid if p.invoice_id]
    return max((i for i in invoices if i.contract_id == contract_id), key=lambda invoice: invoice.day)


def _receipt(story: Story, invoice: Invoice, share: Decimal, days: int) -> Payment:
    """Money that was assigned to nothing."""
    world = story.world
    amount = document(world.settled(invoice.billing_id) * share, story.currency)
    receipt = pay(world, invoice, amount, world.today - timedelta(days=days), applied=Decimal(0))
    world.payments[receipt.billing_id] = replace(receipt, invoice_id=None)
    return receipt


def _plant(story: Story, receipt: Payment, amount: Decimal, note: str) -> None:
    story.plant(Planted(CHECK, BILLING, "payments", receipt.billing_id, amount, story.currency, note))


TALES = (
    Tale(remittance_without_number, "USD"),
    Tale(paid_twice, "EUR"),
    Tale(paid_too_much, "JPY"),
)
