"""The contract was changed in the CRM, and billing still works from the version before."""

from dataclasses import replace
from datetime import timedelta

from sandbox.company.amending import amendment
from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "stale_destination_version"


def order_number_not_handed_over(story: Story) -> Plot:
    yield from _behind(story, Terms("SEAT-STD", story.rng.randint(30, 90)), 1, 4)


def quarterly_terms_not_handed_over(story: Story) -> Plot:
    yield from _behind(story, Terms("PLATFORM-ENT", months=3), 1, 9)


def two_changes_not_handed_over(story: Story) -> Plot:
    yield from _behind(story, Terms("SUPPORT", 5), 2, 15)


def _behind(story: Story, terms: Terms, changes: int, days_ago: int) -> Plot:
    """So many ordered amendments that change no amount, the last one so many days ago."""
    contract = story.sell(9, terms)
    for n in range(changes):
        amendment(story.deals, contract, story.months_ago(2 + n))
    changed_at = story.world.now - timedelta(days=days_ago, hours=story.rng.randint(1, 9))
    story.world.contracts[contract.crm_id] = replace(contract, touched_at=changed_at)
    yield Stage.INVOICED
    subscription = story.world.subscriptions[contract.crm_id]
    story.world.subscriptions[contract.crm_id] = replace(subscription, source_version=1)
    charge = story.charge(contract, terms.product)
    amount = document(terms.quantity * charge.price * charge.billing_months, story.currency)
    note = f"version {1 + changes} since {changed_at:%Y-%m-%d}, and billing has version 1"
    key = subscription.current.billing_id
    story.plant(Planted(CHECK, BILLING, "subscriptions", key, amount, story.currency, note))


TALES = (
    Tale(order_number_not_handed_over, "USD"),
    Tale(quarterly_terms_not_handed_over, "EUR"),
    Tale(two_changes_not_handed_over, "JPY"),
)
