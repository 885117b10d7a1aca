"""For a week, a field has come over otherwise than before: for everybody, so that no single record tells.

The first part of a large company has the record that stands for all of them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from sandbox.company.labels import BILLING, METERING, Planted
from sandbox.company.model import UsageEvent
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "field_mapping_drift"
_SINCE = timedelta(days=6)


def tenants_are_gone(story: Story) -> Plot:
    """Four of five usage events do not say any more which tenant used it."""
    yield Stage.INVOICED
    lost = [event for place, event in enumerate(_recent(story)) if place % 5]
    _put(story, (replace(event, subject="") for event in lost))
    _plant(story, METERING, "usage_events", [event.record_id for event in lost], "the tenant is empty")


def batches_are_gone(story: Story) -> Plot:
    yield Stage.INVOICED
    lost = _recent(story)
    _put(story, (replace(event, batch="") for event in lost))
    _plant(story, METERING, "usage_events", [event.record_id for event in lost], "the batch is empty")


def a_charge_has_another_name(story: Story) -> Plot:
    """The charge that is billed most often is called otherwise on every line of the last days."""
    yield Stage.COPIED
    world = story.world
    recent = [line for line in world.invoice_lines.values() if line.created_at >= world.now - _SINCE and line.charge_id]
    name, _ = Counter(line.name for line in recent).most_common(1)[0]
    renamed = [line for line in recent if line.name == name]
    for line in renamed:
        world.invoice_lines[line.billing_id] = replace(line, name=f"{name} (new catalogue)")
    _plant(story, BILLING, "invoice_lines", [line.billing_id for line in renamed], f"{name} has a new name")


def _recent(story: Story) -> list[UsageEvent]:
    return [event for event in story.world.usage if event.received_at >= story.world.now - _SINCE and not event.test]


def _put(story: Story, events: Iterable[UsageEvent]) -> None:
    changed = {event.record_id: event for event in events}
    story.world.usage[:] = [changed.get(event.record_id, event) for event in story.world.usage]


def _plant(story: Story, system: str, entity: str, keys: list[str], note: str) -> None:
    if story.world.ids.number(f"drift: {entity} {note}") == 1:
        story.plant(Planted(CHECK, system, entity, min(keys), None, None, note))


TALES = (
    Tale(tenants_are_gone, "USD"),
    Tale(batches_are_gone, "EUR"),
    Tale(a_charge_has_another_name, "GBP"),
)
