"""Posted days ago, and finance does not have it, or has it with another total."""

from dataclasses import replace

from sandbox.company.deals import Terms
from sandbox.company.documents import ErpInvoice
from sandbox.company.erp import remove_copy
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "invoice_not_in_erp"


def monthly_missing(story: Story) -> Plot:
    yield from _missing(story, Terms("SEAT-STD", story.rng.randint(20, 60)), 3, 20)


def annual_missing(story: Story) -> Plot:
    yield from _missing(story, Terms("PLATFORM-ENT", 2, months=12), 12, 15)


def quarterly_missing(story: Story) -> Plot:
    yield from _missing(story, Terms("SEAT-PRO", story.rng.randint(40, 90), months=3), 6, 28)


def without_its_tax(story: Story) -> Plot:
    contract = story.sell(5, Terms("SUPPORT", 2), bill_day=10)
    yield Stage.COPIED
    copy = _unpaid(story, story.posted(story.charge(contract, "SUPPORT"))[-1].invoice_id)
    story.world.erp_invoices[copy.erp_id] = replace(copy, total=copy.total - copy.tax, tax=copy.tax * 0)
    _plant(story, copy, "in the ERP without its tax")
    story.planted[-1] = replace(story.planted[-1], amount=copy.tax)


def _missing(story: Story, terms: Terms, months_ago: int, bill_day: int) -> Plot:
    contract = story.sell(months_ago, terms, bill_day=bill_day)
    yield Stage.COPIED
    copy = _unpaid(story, story.posted(story.charge(contract, terms.product))[-1].invoice_id)
    remove_copy(story.world, copy)
    _plant(story, copy, "never copied")


def _unpaid(story: Story, invoice_id: str) -> ErpInvoice:
    """A payment would touch the invoice and make it look newly changed."""
    story.world.unpay(invoice_id)
    return story.world.in_erp(invoice_id)


def _plant(story: Story, copy: ErpInvoice, note: str) -> None:
    story.plant(Planted(CHECK, BILLING, "invoices", copy.invoice_id, copy.total, story.currency, note))


TALES = (
    Tale(monthly_missing, "USD"),
    Tale(annual_missing, "JPY"),
    Tale(quarterly_missing, "EUR"),
    Tale(without_its_tax, "GBP"),
)
