"""A little too little, or too much, every month."""

from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.manual import retype
from sandbox.company.render_salesforce import PRODUCT_IDS
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "small_drift_accumulator"


def converted_at_an_old_rate(story: Story) -> Plot:
    """Three per mille too little in each of the last fifteen months."""
    yield from _drifted(story, Terms("PLATFORM-ENT", 4), 16, Decimal("0.997"), "billed 0.3 % too little, every month")


def rounded_up_twice(story: Story) -> Plot:
    """Two per mille too much, in yen."""
    yield from _drifted(story, Terms("PLATFORM-ENT", 3), 15, Decimal("1.002"), "billed 0.2 % too much, every month")


def priced_by_the_old_list(story: Story) -> Plot:
    """Four per mille too little in each month of more than a year, for several units."""
    yield from _drifted(story, Terms("PLATFORM-ENT", 6), 14, Decimal("0.996"), "billed 0.4 % too little, every month")


def _drifted(story: Story, terms: Terms, months: int, factor: Decimal, note: str) -> Plot:
    contract = story.sell(months, terms)
    yield Stage.INVOICED
    charge = story.charge(contract, terms.product)
    drift = Decimal(0)
    also: list[Consequence] = []
    for line in story.posted(charge):
        wrong = retype(story.world, line, line.quantity, document(line.price * factor, story.currency))
        drift += line.amount - wrong.amount
        also.append(Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id))
    key = PRODUCT_IDS[terms.product]
    story.plant(Planted(CHECK, CRM, "products", key, abs(drift), story.currency, note, also=tuple(also)))


TALES = (
    Tale(converted_at_an_old_rate, "USD"),
    Tale(rounded_up_twice, "JPY"),
    Tale(priced_by_the_old_list, "EUR"),
)
