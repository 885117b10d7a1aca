"""A customer has the same product in two subscriptions at once, and only one of them is meant."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "duplicate_subscription"


def entered_twice(story: Story) -> Plot:
    """Two people entered the same deal, two months apart."""
    seats = Terms("SEAT-STD", story.rng.randint(40, 120))
    first = story.sell(9, seats)
    yield Stage.SIGNED
    second = _again(story, first, seats, 7)
    yield Stage.INVOICED
    _plant(story, first, second, "SEAT-STD", 8, "the same deal twice")


def larger_deal_beside_the_old_one(story: Story) -> Plot:
    """An upgrade that was entered as new business while the old subscription went on; quarterly."""
    first = story.sell(10, Terms("SEAT-PRO", 20, months=3))
    yield Stage.SIGNED
    second = _again(story, first, Terms("SEAT-PRO", 60, months=3), 4)
    yield Stage.INVOICED
    _plant(story, first, second, "SEAT-PRO", 5, "an upgrade beside what it upgrades")


def renewed_too_early(story: Story) -> Plot:
    """The renewal began before the term that it follows has ended, and names nothing that it continues."""
    platform = Terms("PLATFORM", 1, months=12)
    first = story.sell(11, platform, term=12)
    yield Stage.SIGNED
    second = _again(story, first, platform, 2)
    yield Stage.INVOICED
    _plant(story, first, second, "PLATFORM", 3, "a renewal that began three months early")


def _again(story: Story, first: Contract, terms: Terms, months_ago: int) -> Contract:
    """A second contract of the same account; neither has a purchase order of its own."""
    account = story.world.accounts[first.account_id]
    second = story.deals.sell(account, story.months_ago(months_ago), 24, [terms])
    contracts = story.world.contracts
    for key in (first.crm_id, second.crm_id):
        contracts[key] = replace(contracts[key], po_number=None)
    return contracts[second.crm_id]


def _plant(story: Story, first: Contract, second: Contract, product: str, months: int, note: str) -> None:
    smaller = min(line.quantity * line.price for line in (story.line(first, product), story.line(second, product)))
    subscription = story.world.subscriptions[second.crm_id]
    amount = document(smaller * Decimal(months), story.currency)
    said = f"{note}: {months} months of the smaller one"
    story.plant(
        Planted(
            CHECK, BILLING, "subscriptions", subscription.current.billing_id, amount, story.currency, said,
            subscription.start,
        )
    )  # fmt: skip


TALES = (
    Tale(entered_twice, "USD"),
    Tale(larger_deal_beside_the_old_one, "EUR"),
    Tale(renewed_too_early, "JPY"),
)
