"""Parts of billing periods that are billed by their days, however odd they look."""

from datetime import timedelta

from sandbox.company.amending import add_on, change
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "coterm_proration_error"


def by_the_day(story: Story) -> Plot:
    """Seats that were added twice within a month, and support for a week; as 30-day months they would be others."""
    contract = story.sell(8, Terms("SEAT-PRO", 40), bill_day=5)
    first = story.months_ago(4, 5) + timedelta(days=9)
    days = (first, first + timedelta(days=8))
    for day in days:
        change(story.deals, story.line(contract, "SEAT-PRO"), 7, day)
    support = add_on(story.deals, contract, Terms("SUPPORT"), story.months_ago(2, 5) + timedelta(days=22))
    yield Stage.INVOICED
    charges = (story.charge(contract, "SEAT-PRO"), story.world.charge_of(support.crm_id))
    for charge in charges:
        for line in story.posted(charge):
            if line.start in (*days, support.start):
                story.resemble(CHECK, BILLING, "invoice_lines", line.billing_id, "actual days of the period")


TALES = (Tale(by_the_day, "USD", CLEAN_BATCH), Tale(by_the_day, "JPY", CLEAN_BATCH))
