"""Invoices of a month fell due, and money is missing."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.billing import pay
from sandbox.company.deals import Terms
from sandbox.company.documents import Invoice
from sandbox.company.labels import BILLING, Planted
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "billed_vs_collected_tieout"


def nothing_was_paid(story: Story) -> Plot:
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(50, 150)))
    yield Stage.COPIED
    invoice = unpaid_for_long(story, contract.crm_id)
    _plant(story, invoice, story.world.total_of(invoice.billing_id), "nothing was paid")


def half_was_paid(story: Story) -> Plot:
    contract = story.sell(10, Terms("PLATFORM", 2, months=3))
    yield Stage.COPIED
    invoice = unpaid_for_long(story, contract.crm_id)
    total = story.world.total_of(invoice.billing_id)
    part = document(total / 2, story.currency)
    pay(story.world, invoice, part, invoice.due)
    _plant(story, invoice, total - part, "the second half never came")


def beyond_the_dispute(story: Story) -> Plot:
    """A third is in dispute; nothing of the rest was paid either."""
    contract = story.sell(7, Terms("SUPPORT", 4))
    yield Stage.COPIED
    invoice = unpaid_for_long(story, contract.crm_id)
    total = story.world.total_of(invoice.billing_id)
    disputed = document(total / 3, story.currency)
    story.world.invoices[invoice.billing_id] = replace(invoice, disputed=disputed)
    _plant(story, invoice, total - disputed, "only a third is in dispute")


def unpaid_for_long(story: Story, contract_id: str) -> Invoice:
    """The last invoice of a contract that fell due two months ago or earlier, without its payments."""
    world = story.world
    closed = add_months(world.today.replace(day=1), -1)
    found = [i for i in world.invoices.values() if i.contract_id == contract_id and i.posted_at and i.due < closed]
    last = max(found, key=lambda invoice: invoice.due)
    world.unpay(last.billing_id)
    return last


def _plant(story: Story, invoice: Invoice, amount: Decimal, note: str) -> None:
    account = story.world.accounts[invoice.account_id]
    month = invoice.due.replace(day=1)
    story.plant(Planted(CHECK, BILLING, "accounts", account.billing_id, amount, story.currency, note, month))


TALES = (
    Tale(nothing_was_paid, "USD"),
    Tale(half_was_paid, "EUR"),
    Tale(beyond_the_dispute, "JPY"),
)
