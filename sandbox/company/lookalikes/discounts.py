"""Discounts that are as they were granted, approved or allowed."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.discounts import grant
from sandbox.company.labels import BILLING, CRM
from sandbox.company.stories import Plot, Stage, Story, Tale


def renewed_promotion(story: Story) -> Plot:
    """Granted once more on the day on which it ended; the contract itself was sold with an approved 25 % off."""
    price = story.off_list("SEAT-STD", Decimal("0.75"))
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(40, 90), price))
    line = story.line(contract, "SEAT-STD")
    again = story.months_ago(4)
    grant(story.world, line, "Launch", Decimal("0.1"), None, contract.start, again)
    grant(story.world, line, "Launch", Decimal("0.1"), None, again, None)
    yield Stage.INVOICED
    story.resemble("discount_over_limit_unapproved", CRM, "quotes", contract.quote_id, "approved in the CRM")
    for billed in story.world.billed(story.charge(contract, "SEAT-STD").billing_id):
        if billed.kind == "discount" and billed.start >= again:
            for check in ("expired_discount_applied", "stacked_discounts"):
                story.resemble(check, BILLING, "invoice_lines", billed.billing_id, "one promotion after the other")


def ladder(story: Story) -> Plot:
    """20 % and 15 % at once, which the contract says add up."""
    contract = story.sell(7, Terms("PLATFORM"))
    story.world.contracts[contract.crm_id] = replace(contract, allows_stacking=True)
    _two(story, contract.crm_id, Decimal("0.2"), Decimal("0.15"))
    yield Stage.INVOICED
    _resemble_last(story, contract.crm_id, "the contract lets discounts add up")


def within_the_policy(story: Story) -> Plot:
    contract = story.sell(6, Terms("SUPPORT", 3, months=3))
    _two(story, contract.crm_id, Decimal("0.1"), Decimal("0.15"))
    yield Stage.INVOICED
    _resemble_last(story, contract.crm_id, "a quarter of the price together, which is allowed")


def _two(story: Story, contract_id: str, first: Decimal, second: Decimal) -> None:
    (line,) = story.world.lines_of(contract_id)
    for name, rate in (("Partner", first), ("Volume", second)):
        grant(story.world, line, name, rate, None, line.start, None)


def _resemble_last(story: Story, contract_id: str, note: str) -> None:
    (line,) = story.world.lines_of(contract_id)
    charge = story.world.charge_of(line.crm_id)
    billed = [one for one in story.world.billed(charge.billing_id) if one.kind == "discount"]
    story.resemble("stacked_discounts", BILLING, "invoice_lines", billed[-1].billing_id, note)


TALES = (
    Tale(renewed_promotion, "USD", CLEAN_BATCH),
    Tale(ladder, "EUR", CLEAN_BATCH),
    Tale(within_the_policy, "JPY", CLEAN_BATCH),
)
