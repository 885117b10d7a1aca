"""Writes by hand and changes of fields that are as they should be."""

from datetime import timedelta
from decimal import Decimal

from sandbox.company.auditing import approve, change_by_hand, redefine
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import AUDIT, METERING
from sandbox.company.measuring import event
from sandbox.company.render_audit import INTEGRATION_USER
from sandbox.company.stories import Plot, Stage, Story, Tale


def allowed_by_a_ticket(story: Story) -> Plot:
    contract = story.sell(4, Terms("SEAT-STD", 20))
    yield Stage.COPIED
    charge = story.charge(contract, "SEAT-STD")
    for note, ago, more in (
        ("a ticket allows it", timedelta(days=2), {"via": "import", "ticket": "CHG-1042"}),
        ("the integration's own user", timedelta(days=5), {"via": "api", "by": INTEGRATION_USER}),
        ("two months ago, and invoiced and checked since", timedelta(days=63), {"via": "ui"}),
    ):
        key = change_by_hand(
            story.world, charge.account_id, "RatePlanCharge", charge.number, "Price", ago=ago, before="40", after="38",
            amount=Decimal(40), currency=story.currency, **more,
        )  # fmt: skip
        story.resemble("manual_backdoor_write", AUDIT, "record_changes", key, note)


def changes_that_were_looked_at(story: Story) -> Plot:
    """Approved before; an emergency that was approved the day after; seen this morning; a new field."""
    yield Stage.COPIED
    world, number = story.world, story.world.ids.number("reviewed field")
    for name, change, seen, decided, note in (
        ("Terms", "values", 8, 11, "approved three days before"),
        ("Region", "type", 15, 14, "an emergency, approved the day after"),
        ("Ramp", "values", 0, None, "seen today: there is time until tomorrow night"),
        ("Colour", "appeared", 30, None, "a new field, which nothing reads"),
    ):
        field = f"{name}_{number}__c"
        key = redefine(world, "Contract", field, change, "a", "b", world.now - timedelta(days=seen, hours=1))
        if decided is not None:
            approve(world, "metadata", "Contract", field, world.now - timedelta(days=decided))
        story.resemble("unreviewed_mapping_change", AUDIT, "metadata_changes", key, note)


def a_launch(story: Story) -> Plot:
    """A new meter, which the change calendar announces; so far it counts only tests."""
    yield Stage.INVOICED
    world = story.world
    for hours_ago in range(10, 70, 10):
        sent = event(
            world, "storage_gb", Decimal(hours_ago), world.now - timedelta(hours=hours_ago), customer="",
            subject="load-test", test=True,
        )  # fmt: skip
        world.usage.append(sent)
        note = "a meter that was launched, as announced"
        story.resemble("field_mapping_drift", METERING, "usage_events", sent.record_id, note)
    approve(world, "launch", "usage_events", "meter", world.now - timedelta(days=9))


TALES = (
    Tale(allowed_by_a_ticket, "USD", CLEAN_BATCH),
    Tale(allowed_by_a_ticket, "EUR", CLEAN_BATCH),
    Tale(changes_that_were_looked_at, "USD", CLEAN_BATCH),
    Tale(a_launch, "USD", CLEAN_BATCH),
)
