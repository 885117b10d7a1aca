"""Usage that belongs to nobody whom the CRM knows."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.labels import METERING, Planted
from sandbox.company.measuring import event
from sandbox.company.stories import Plot, Stage, Story, Tale
from sandbox.salesforce import make_id

CHECK = "usage_unmatched_account"


def unknown_customer(story: Story) -> Plot:
    yield Stage.INVOICED
    stranger = make_id("001", 700_000 + story.rng.randint(1, 9_999))
    _month(story, "api_calls", stranger, "tenant-unlisted", story.months_ago(1), "an account id that the CRM lacks")


def no_customer(story: Story) -> Plot:
    """One finding for each of two months."""
    yield Stage.INVOICED
    subject = f"workspace-{story.rng.randint(100, 999)}"
    for months in (2, 1):
        _month(story, "messages", "", subject, story.months_ago(months), "no account id at all")


def misspelt_customer(story: Story) -> Plot:
    account = story.account()
    yield Stage.INVOICED
    _month(story, "api_calls", account.crm_id.lower(), "tenant-lower", story.months_ago(3), "an id in lower case")


def _month(story: Story, meter: str, customer: str, subject: str, month: date, note: str) -> None:
    """Four events between the third and the twenty-fourth of a month; the first one stands for all."""
    days = sorted(story.rng.sample(range(3, 25), 4))
    events = [
        event(
            story.world,
            meter,
            Decimal(story.rng.randint(500, 90_000)),
            datetime.combine(month.replace(day=day), time(9, story.rng.randint(0, 59)), UTC),
            customer=customer,
            subject=subject,
            delay=timedelta(minutes=5),
        )
        for day in days
    ]
    story.world.usage.extend(events)
    quantity = sum(said.quantity for said in events)
    story.plant(
        Planted(CHECK, METERING, "usage_events", events[0].record_id, None, None, f"{note}: {quantity} in all", month)
    )


TALES = (Tale(unknown_customer, "USD"), Tale(no_customer, "USD"), Tale(misspelt_customer, "USD"))
