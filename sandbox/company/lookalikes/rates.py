"""Rates and schedules that differ from a list or from an older version, rightly."""

from decimal import Decimal

from sandbox.company.amending import change
from sandbox.company.amounts import local_price
from sandbox.company.catalog import PRODUCTS
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING
from sandbox.company.stories import Plot, Stage, Story, Tale


def below_the_list(story: Story) -> Plot:
    """Usage and seats, both cheaper by contract than by the list; more seats since the middle of a month."""
    rate = local_price(PRODUCTS["API-CALL"].list_price * Decimal("0.9"), story.currency)
    contract = story.sell(7, Terms("SEAT-STD", story.rng.randint(40, 80)), Terms("API-CALL", price=rate))
    middle = story.months_ago(2).replace(day=story.rng.randint(8, 20))
    change(story.deals, story.line(contract, "SEAT-STD"), story.rng.randint(5, 20), middle)
    yield Stage.INVOICED
    note = "the contract goes before the list"
    for line in story.posted(story.charge(contract, "API-CALL")):
        story.resemble("pricing_drift", BILLING, "invoice_lines", line.billing_id, note)
    for line in story.posted(story.charge(contract, "SEAT-STD")):
        if line.start == middle:
            note = "the rest of a month, taken back from one version and billed by the next"
            story.resemble("invoice_schedule_version_mismatch", BILLING, "invoice_lines", line.billing_id, note)


TALES = (Tale(below_the_list, "USD", CLEAN_BATCH), Tale(below_the_list, "EUR", CLEAN_BATCH))
