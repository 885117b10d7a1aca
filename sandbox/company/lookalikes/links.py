"""Records whose parent has been replaced, and is a parent all the same."""

from sandbox.company.amending import change
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING
from sandbox.company.stories import Plot, Stage, Story, Tale


def of_an_older_version(story: Story) -> Plot:
    """The charge belongs to the first version of a subscription that has had others since."""
    contract = story.sell(7, Terms("SEAT-PRO", 40))
    line = story.line(contract, "SEAT-PRO")
    for months_ago in (4, 2):
        change(story.deals, line, 5, story.months_ago(months_ago))
    yield Stage.INVOICED
    charge = story.charge(contract, "SEAT-PRO")
    note = "it names a version that was replaced twice"
    story.resemble("orphan_child_record", BILLING, "subscription_lines", charge.billing_id, note)


TALES = (Tale(of_an_older_version, "USD", CLEAN_BATCH), Tale(of_an_older_version, "JPY", CLEAN_BATCH))
