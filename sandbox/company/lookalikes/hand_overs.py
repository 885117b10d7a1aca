"""Events that reached billing late, or again, and left it as it should be."""

from datetime import timedelta

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.handing_over import applied
from sandbox.company.labels import AUDIT
from sandbox.company.stories import Plot, Stage, Story, Tale


def back_dated(story: Story) -> Plot:
    """The event made last takes effect before the one made first."""
    yield from _events(story, ((4, 12, 1), (5, 3, 5)), "made last, and in force since earlier")


def sent_again_and_mended(story: Story) -> Plot:
    yield from _events(story, ((4, 12, 2), (5, 9, 1), (4, 6, 2), (5, 5, 1)), "the newest event was applied again")


def older_but_in_force_later(story: Story) -> Plot:
    """A change for next year was made before one for this month, and applied after it."""
    yield from _events(story, ((5, 9, 1), (4, 6, -2)), "it takes effect after the newer one")


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
    Tale(older_but_in_force_later, "GBP", CLEAN_BATCH),
)
