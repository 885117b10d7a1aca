"""The total of an invoice is not what its lines and its tax come to."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "invoice_math_error"


def total_too_high(story: Story) -> Plot:
    contract = story.sell(5, Terms("SEAT-STD", story.rng.randint(30, 120)), Terms("SUPPORT"))
    yield Stage.INVOICED
    _shift(story, story.drafted(story.charge(contract, "SUPPORT")), Decimal(10), "the draft's total is 10 too high")


def tax_left_out(story: Story) -> Plot:
    contract = story.sell(6, Terms("PLATFORM", months=3))
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "PLATFORM"))
    _shift(story, line, -line.tax, "the draft's total leaves the tax out")


def a_few_yen(story: Story) -> Plot:
    """More than rounding explains: two lines may be off by one yen together."""
    contract = story.sell(4, Terms("SEAT-PRO", story.rng.randint(10, 40)), Terms("PLATFORM"))
    yield Stage.INVOICED
    _shift(story, story.drafted(story.charge(contract, "PLATFORM")), Decimal(-7), "the draft's total is 7 yen too low")


def posted_with_a_wrong_total(story: Story) -> Plot:
    contract = story.sell(8, Terms("SEAT-VIEW", story.rng.randint(90, 300)), bill_day=5)
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "SEAT-VIEW"))[-1]
    _shift(story, line, Decimal("-100.00"), "the posted total is 100 too low")


def _shift(story: Story, line: InvoiceLine, shift: Decimal, note: str) -> None:
    invoice = story.world.invoices[line.invoice_id]
    story.world.invoices[invoice.billing_id] = replace(invoice, total_shift=shift)
    story.plant(Planted(CHECK, BILLING, "invoices", invoice.billing_id, abs(shift), story.currency, note, invoice.day))


TALES = (
    Tale(total_too_high, "USD"),
    Tale(tax_left_out, "EUR"),
    Tale(a_few_yen, "JPY"),
    Tale(posted_with_a_wrong_total, "GBP"),
)
