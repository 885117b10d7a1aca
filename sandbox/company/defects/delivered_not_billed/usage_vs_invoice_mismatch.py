"""The invoice's amount is not what the tariff makes of the period's usage."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.manual import bill_at
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "usage_vs_invoice_mismatch"


def first_tier_for_everything(story: Story) -> Plot:
    """The draft bills every gigabyte at the price of the first ones."""
    contract = story.sell(6, Terms("PLATFORM"), Terms("STORAGE"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "STORAGE")
    story.weekly(charge)
    yield Stage.INVOICED
    charge = story.charge(contract, "STORAGE")
    line = story.only_bill(charge, 1)
    _bill_instead(story, line, line.quantity * charge.price, "every unit at the price of the first tier")


def allowance_forgotten(story: Story) -> Plot:
    """Posted a month ago, as if the plan held no free messages."""
    contract = story.sell(9, Terms("SMS"), bill_day=15)
    yield Stage.PROVISIONED
    charge = story.charge(contract, "SMS")
    story.weekly(charge)
    yield Stage.INVOICED
    charge = story.charge(contract, "SMS")
    line = story.only_bill(charge, 2)
    packages = (line.quantity // 1_000) + 1
    _bill_instead(story, line, packages * charge.price, "the packages of the allowance are billed as well")


def fewer_units(story: Story) -> Plot:
    """A tenth of the hours was left out when the draft was made."""
    contract = story.sell(5, Terms("COMPUTE"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "COMPUTE")
    story.weekly(charge)
    yield Stage.INVOICED
    charge = story.charge(contract, "COMPUTE")
    line = story.only_bill(charge, 1)
    assert charge.tariff is not None, "hours have an allowance"
    quantity = line.quantity * 9 // 10
    less = document(charge.tariff.cost(quantity), story.currency)
    _bill_instead(story, replace(line, quantity=quantity), less, "nine tenths of the hours")


def tier_of_all_units_missed(story: Story) -> Plot:
    """Posted in full at the higher price, though the quantity reaches the tier that prices all units lower."""
    contract = story.sell(8, Terms("TRANSACTION"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "TRANSACTION")
    story.world.told_meters.add(charge.number)
    for months in range(8, 0, -1):
        story.used(charge, story.months_ago(months).replace(day=9), 60_000)
        story.used(charge, story.months_ago(months).replace(day=21), 48_000 + story.rng.randint(0, 5_000))
    yield Stage.INVOICED
    line = story.only_bill(charge, 2)
    assert charge.tariff is not None, "payments have tiers"
    _bill_instead(story, line, line.quantity * charge.tariff.steps[1].price, "at the price of the tier below")


def _bill_instead(story: Story, line: InvoiceLine, amount: Decimal, note: str) -> None:
    difference = abs(bill_at(story.world, line, amount).amount - line.amount)
    story.plant(Planted(CHECK, BILLING, "invoice_lines", line.billing_id, difference, story.currency, note, line.start))


TALES = (
    Tale(first_tier_for_everything, "USD"),
    Tale(allowance_forgotten, "EUR"),
    Tale(fewer_units, "JPY"),
    Tale(tier_of_all_units_missed, "GBP"),
)
