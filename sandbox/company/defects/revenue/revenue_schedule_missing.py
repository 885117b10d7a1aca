"""The ERP has the invoice line, and no plan for its revenue."""

from sandbox.company.deals import Terms
from sandbox.company.labels import ERP, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "revenue_schedule_missing"


def monthly_seats(story: Story) -> Plot:
    yield from _unplanned(story, Terms("SEAT-STD", story.rng.randint(40, 120)), 7, 1)


def annual_platform(story: Story) -> Plot:
    yield from _unplanned(story, Terms("PLATFORM-ENT", months=12), 8, 15)


def quarterly_support(story: Story) -> Plot:
    yield from _unplanned(story, Terms("SUPPORT", 3, months=3), 4, 10)


def _unplanned(story: Story, terms: Terms, months_ago: int, bill_day: int) -> Plot:
    contract = story.sell(months_ago, terms, bill_day=bill_day)
    yield Stage.COPIED
    line = story.posted(story.charge(contract, terms.product))[-1]
    copied = story.world.line_in_erp(line.billing_id)
    del story.world.revenue[copied.key]
    note = f"recognised over time, invoiced {story.world.invoices[line.invoice_id].day}"
    story.plant(Planted(CHECK, ERP, "invoice_lines", str(copied.key), line.amount, story.currency, note, line.start))


TALES = (Tale(monthly_seats, "USD"), Tale(annual_platform, "EUR"), Tale(quarterly_support, "JPY"))
