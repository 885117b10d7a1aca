"""Billing has another rate than the contract, or than the price list where the contract leaves the price to it."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "pricing_drift"


def usage_at_an_old_rate(story: Story) -> Plot:
    yield from _drifted(story, story.sell(8, Terms("PLATFORM"), Terms("API-CALL")), "API-CALL", Decimal("0.8"))


def usage_a_little_too_dear(story: Story) -> Plot:
    """By 3 %: it only warns."""
    yield from _drifted(story, story.sell(6, Terms("SUPPORT", 2), Terms("MESSAGE")), "MESSAGE", Decimal("1.03"))


def work_at_last_years_price(story: Story) -> Plot:
    yield from _drifted(story, story.sell(3, Terms("PLATFORM-ENT"), Terms("TRAINING", 3)), "TRAINING", Decimal("0.9"))


def not_as_listed(story: Story) -> Plot:
    """The contract states no price of usage: the list counts."""
    contract = story.sell(7, Terms("PLATFORM"), Terms("API-CALL", by_list=True))
    yield from _drifted(story, contract, "API-CALL", Decimal("0.75"))


def _drifted(story: Story, contract: Contract, product: str, factor: Decimal) -> Plot:
    yield Stage.PROVISIONED
    charge = story.charge(contract, product)
    price = charge.price
    charged = (price * factor).quantize(Decimal("0.000001"))
    story.world.charges[charge.billing_id] = replace(charge, price=charged)
    yield Stage.INVOICED
    for line in story.world.billed(charge.billing_id):
        due = document(line.amount * price / charged, story.currency)
        amount = abs(due - line.amount)
        if amount > Decimal("0.01"):
            note = f"{charged} instead of {price}"
            at = (BILLING, "invoice_lines", line.billing_id)
            also = (Consequence("order_lines_missing_in_billing", CRM, "contract_lines", charge.line_id),)
            story.plant(Planted(CHECK, *at, amount, story.currency, note, line.start, also))


TALES = (
    Tale(usage_at_an_old_rate, "USD"),
    Tale(work_at_last_years_price, "EUR"),
    Tale(not_as_listed, "GBP"),
    Tale(usage_a_little_too_dear, "JPY"),
)
