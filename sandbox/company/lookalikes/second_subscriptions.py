"""Second subscriptions for the same product that are meant."""

from dataclasses import replace

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale


def two_departments(story: Story) -> Plot:
    """Each orders for itself, under its own purchase order."""
    first, second = _both(story, "PO-30118", "PO-30977")
    yield Stage.INVOICED
    _resemble(story, first, second, "a purchase order for each department")


def two_companies(story: Story) -> Plot:
    """The customer's subsidiary is served by another of our companies."""
    first, second = _both(story, None, None)
    yield Stage.PROVISIONED
    subscription = story.world.subscriptions[second.crm_id]
    story.world.subscriptions[second.crm_id] = replace(subscription, legal_entity="SG Pte")
    yield Stage.INVOICED
    _resemble(story, first, second, "sold by two legal entities")


def _both(story: Story, *orders: str | None) -> tuple[Contract, Contract]:
    seats = Terms("SEAT-STD", story.rng.randint(20, 50))
    first = story.sell(8, seats)
    second = story.deals.sell(story.world.accounts[first.account_id], story.months_ago(5), 24, [seats])
    for contract, order in zip((first, second), orders, strict=True):
        story.world.contracts[contract.crm_id] = replace(contract, po_number=order)
    return first, second


def _resemble(story: Story, first: Contract, second: Contract, note: str) -> None:
    for contract in (first, second):
        key = story.world.subscriptions[contract.crm_id].current.billing_id
        story.resemble("duplicate_subscription", BILLING, "subscriptions", key, note)


TALES = (Tale(two_departments, "USD", CLEAN_BATCH), Tale(two_companies, "EUR", CLEAN_BATCH))
