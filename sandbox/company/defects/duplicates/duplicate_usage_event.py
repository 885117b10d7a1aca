"""The sender repeated an event that had arrived, with the same idempotency key."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import METERING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "duplicate_usage_event"


def api_calls_sent_again(story: Story) -> Plot:
    yield from _sent_again(story, Terms("API-CALL"), timedelta(hours=26))


def messages_sent_again(story: Story) -> Plot:
    yield from _sent_again(story, Terms("MESSAGE"), timedelta(minutes=3))


def _sent_again(story: Story, metered: Terms, after: timedelta) -> Plot:
    """The repetition was not billed: the check finds what it would have cost."""
    contract = story.sell(5, Terms("PLATFORM"), metered)
    yield Stage.INVOICED
    charge = story.charge(contract, metered.product)
    month = story.months_ago(1)
    sent = [event for event in story.world.usage if event.charge == charge.number]
    first = story.rng.choice([event for event in sent if event.happened_at.date() >= month])
    received = min(first.received_at + after, story.world.now)
    again = replace(
        first,
        record_id=f"ue-{story.world.ids.number('usage event'):08d}",
        received_at=received,
        batch=f"{received:%Y%m%d}-{first.meter}-retry",
    )
    story.world.usage.append(again)
    amount = document(Decimal(again.quantity) * charge.price, story.currency)
    note = f"{again.event_id} arrived twice"
    story.plant(Planted(CHECK, METERING, "usage_events", again.record_id, amount, story.currency, note))


TALES = (Tale(api_calls_sent_again, "USD"), Tale(messages_sent_again, "EUR"), Tale(api_calls_sent_again, "JPY"))
