"""A promotion ended, and billing goes on with it."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.deals import Terms
from sandbox.company.discounts import grant
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "expired_discount_applied"


def never_ended_in_billing(story: Story) -> Plot:
    """Granted for the first months; two posted periods and the draft still have it."""
    yield from _late(story, Terms("SEAT-STD", story.rng.randint(60, 140)), 9, 3, Decimal("0.1"))


def ended_a_quarter_ago(story: Story) -> Plot:
    yield from _late(story, Terms("SUPPORT", story.rng.randint(2, 5), months=3), 9, 3, Decimal("0.2"))


def in_the_draft(story: Story) -> Plot:
    yield from _late(story, Terms("SEAT-PRO", story.rng.randint(20, 60)), 6, 1, Decimal("0.15"))


def amount_off(story: Story) -> Plot:
    """So much off every month, in yen."""
    yield from _late(story, Terms("PLATFORM"), 8, 2, None)


def _late(story: Story, terms: Terms, months_ago: int, ended: int, rate: Decimal | None) -> Plot:
    contract = story.sell(months_ago, terms)
    line = story.line(contract, terms.product)
    amount = None if rate is not None else Decimal(20_000)
    discount = grant(story.world, line, "Launch", rate, amount, contract.start, story.months_ago(ended - 1))
    yield Stage.PROVISIONED
    story.world.discounts[discount.crm_id] = replace(discount, applied_until=None)
    yield Stage.INVOICED
    charge = story.charge(contract, terms.product)
    for billed in story.world.billed(charge.billing_id):
        if billed.kind == "discount" and discount.end is not None and billed.start >= discount.end:
            at = (BILLING, "invoice_lines", billed.billing_id)
            note = f"«Launch» ended on {discount.end}"
            story.plant(Planted(CHECK, *at, -billed.amount, story.currency, note, billed.start))


TALES = (
    Tale(never_ended_in_billing, "USD"),
    Tale(ended_a_quarter_ago, "EUR"),
    Tale(in_the_draft, "GBP"),
    Tale(amount_off, "JPY"),
)
