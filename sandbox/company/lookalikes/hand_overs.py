"""Events that reached billing late, or again, and left it as it should be."""

from dataclasses import replace
from datetime import timedelta

from sandbox.company.amending import amendment
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.handing_over import applied
from sandbox.company.labels import AUDIT, BILLING
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale


def back_dated(story: Story) -> Plot:
    """The event made last takes effect before the one made first."""
    yield from _events(story, ((4, 12, 1), (5, 3, 5)), "made last, and in force since earlier")


def sent_again_and_mended(story: Story) -> Plot:
    yield from _events(story, ((4, 12, 2), (5, 9, 1), (4, 6, 2), (5, 5, 1)), "the newest event was applied again")


def older_but_in_force_later(story: Story) -> Plot:
    """A change for next year was made before one for this month, and applied after it."""
    yield from _events(story, ((5, 9, 1), (4, 6, -2)), "it takes effect after the newer one")


def saved_without_a_change(story: Story) -> Plot:
    """Opened and saved in the CRM last week: a later stamp, the same version."""
    contract = story.sell(7, Terms("PLATFORM"))
    touched = story.world.now - timedelta(days=5)
    story.world.contracts[contract.crm_id] = replace(contract, touched_at=touched)
    yield Stage.INVOICED
    _resemble_stale(story, contract, "touched, and not changed")


def on_its_way(story: Story) -> Plot:
    """Changed three hours ago; the hand-over runs tonight."""
    contract = story.sell(6, Terms("SUPPORT", 2))
    amendment(story.deals, contract, story.today)
    changed = story.world.now - timedelta(hours=3)
    story.world.contracts[contract.crm_id] = replace(contract, touched_at=changed)
    yield Stage.INVOICED
    subscription = story.world.subscriptions[contract.crm_id]
    story.world.subscriptions[contract.crm_id] = replace(subscription, source_version=1)
    _resemble_stale(story, contract, "changed three hours ago")


def _resemble_stale(story: Story, contract: Contract, note: str) -> None:
    key = story.world.subscriptions[contract.crm_id].current.billing_id
    story.resemble("stale_destination_version", BILLING, "subscriptions", key, note)


def _events(story: Story, said: tuple[tuple[int, int, int], ...], note: str) -> Plot:
    """Events for one field of a subscription: (sequence, days since it was applied, months since it is in force)."""
    contract = story.sell(9, Terms("SUPPORT"))
    yield Stage.INVOICED
    record = ("Subscription", story.charge(contract, "SUPPORT").subscription, "InvoiceNote")
    for sequence, days, months in said:
        change = applied(
            story.world, contract.account_id, record, sequence, f"note {sequence}", timedelta(days=days),
            story.months_ago(months),
        )  # fmt: skip
        story.resemble("event_out_of_order", AUDIT, "record_changes", change.change_id, note)


TALES = (
    Tale(back_dated, "USD", CLEAN_BATCH),
    Tale(sent_again_and_mended, "EUR", CLEAN_BATCH),
    Tale(saved_without_a_change, "EUR", CLEAN_BATCH),
    Tale(on_its_way, "USD", CLEAN_BATCH),
    Tale(older_but_in_force_later, "GBP", CLEAN_BATCH),
)
