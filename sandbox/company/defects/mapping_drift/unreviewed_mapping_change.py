"""A field, a picklist or a flow's mapping was changed, and no approval names it. What it may cost is the next run."""

from datetime import timedelta

from sandbox.company.auditing import approve, redefine
from sandbox.company.labels import AUDIT, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "unreviewed_mapping_change"


def a_picklist_was_narrowed(story: Story) -> Plot:
    yield from _changed(story, "Contract", "Notice_Period__c", "values", "30 days, 90 days", "30 days", 6)


def a_field_is_gone(story: Story) -> Plot:
    yield from _changed(story, "SBQQ__Subscription__c", "Partner_Share__c", "vanished", "percent", None, 12)


def a_mapping_was_edited(story: Story) -> Plot:
    """Somebody else's change of the same flow was approved, of another field."""
    flow = f"orders_to_billing_{story.world.ids.number('edited flow')}"
    approve(story.world, "mapping", flow, "OrderDate", story.world.now - timedelta(days=10))
    yield from _changed(story, flow, "BillingPeriod", "mapping", "billing_period", "invoice_period", 9)


def approved_a_quarter_ago(story: Story) -> Plot:
    """The approval of the same field is for a change of last summer."""
    field = f"Rebate_{story.world.ids.number('rebate field')}__c"
    approve(story.world, "metadata", "Order", field, story.world.now - timedelta(days=100))
    yield from _changed(story, "Order", field, "type", "double", "string", 20)


def _changed(story: Story, object_: str, field: str, change: str, before: str, after: str | None, days: int) -> Plot:
    yield Stage.COPIED
    field = field if field.startswith("Rebate") else f"{field}{story.world.ids.number('changed field')}"
    seen_at = story.world.now - timedelta(days=days)
    key = redefine(story.world, object_, field, change, before, after, seen_at)
    note = f"{field} of {object_}: {change}"
    story.plant(Planted(CHECK, AUDIT, "metadata_changes", key, None, None, note, seen_at.date()))


TALES = (
    Tale(a_picklist_was_narrowed, "USD"),
    Tale(a_field_is_gone, "EUR"),
    Tale(a_mapping_was_edited, "GBP"),
    Tale(approved_a_quarter_ago, "JPY"),
)
