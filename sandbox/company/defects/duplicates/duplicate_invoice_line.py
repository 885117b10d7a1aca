"""The same period of the same line is billed twice."""

from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.manual import repeat
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "duplicate_invoice_line"


def twice_on_one_draft(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-STD", story.rng.randint(50, 150)), Terms("SUPPORT"))
    yield Stage.INVOICED
    _plant(story, repeat(story.world, story.drafted(story.charge(contract, "SUPPORT"))), "twice on one draft")


def again_a_month_later(story: Story) -> Plot:
    contract = story.sell(9, Terms("PLATFORM", 1), bill_day=20)
    yield Stage.INVOICED
    posted = story.posted(story.charge(contract, "PLATFORM"))
    again = repeat(story.world, posted[-2], posted[-1].invoice_id)
    _plant(story, again, "last month's period once more on this month's invoice, both posted")


def quarter_twice_on_a_draft(story: Story) -> Plot:
    contract = story.sell(9, Terms("SEAT-PRO", story.rng.randint(20, 60), months=3))
    yield Stage.INVOICED
    _plant(story, repeat(story.world, story.drafted(story.charge(contract, "SEAT-PRO"))), "a quarter twice")


def _plant(story: Story, line: InvoiceLine, note: str) -> None:
    story.plant(
        Planted(CHECK, BILLING, "invoice_lines", line.billing_id, line.amount, story.currency, note, line.start)
    )


TALES = (Tale(twice_on_one_draft, "USD"), Tale(again_a_month_later, "EUR"), Tale(quarter_twice_on_a_draft, "JPY"))
