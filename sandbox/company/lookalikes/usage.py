"""Usage and seats that only look wrong."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import METERING, seat_key
from sandbox.company.measuring import event
from sandbox.company.model import ContractLine
from sandbox.company.stories import Plot, Stage, Story, Tale
from sandbox.salesforce import make_id


def late_usage(story: Story) -> Plot:
    """Used before the customer was known anywhere; it arrived the day before yesterday."""
    yield Stage.INVOICED
    newcomer = make_id("001", 800_000 + story.rng.randint(1, 9_999))
    sent = event(
        story.world,
        "api_calls",
        Decimal(story.rng.randint(500, 5_000)),
        story.world.now - timedelta(days=4),
        customer=newcomer,
        subject="tenant-newcomer",
        delay=timedelta(days=2, hours=3),
    )
    story.world.usage.append(sent)
    note = "received less than three days ago; the subscription is on its way"
    story.resemble("usage_unmatched_account", METERING, "usage_events", sent.record_id, note)


def test_tenant(story: Story) -> Plot:
    yield Stage.INVOICED
    for days_ago in (20, 12):
        sent = event(
            story.world,
            "messages",
            Decimal(50_000),
            story.world.now - timedelta(days=days_ago),
            customer="",
            subject="load-test",
            test=True,
        )
        story.world.usage.append(sent)
        note = "a load test, marked as such"
        story.resemble("usage_unmatched_account", METERING, "usage_events", sent.record_id, note)


def two_tenants_alike(story: Story) -> Plot:
    """Two tenants of one customer used the same at the same second."""
    contract = story.sell(6, Terms("PLATFORM"), Terms("API-CALL"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "API-CALL")
    happened = datetime.combine(story.months_ago(1).replace(day=16), time(12), UTC)
    for place in ("north", "south"):
        sent = event(
            story.world,
            "api_calls",
            Decimal(1_000),
            happened,
            customer=charge.account_id,
            subject=f"tenant-{place}",
            charge=charge,
        )
        story.world.usage.append(sent)
        note = "equal but for the event id and the tenant"
        story.resemble("duplicate_usage_event", METERING, "usage_events", sent.record_id, note)


def seats_in_order(story: Story) -> Plot:
    """A month's overage is on the invoice of the month that follows; the other months have none."""
    contract = story.sell(6, story.seats(200))
    line = story.line(contract, "SEAT-STD")
    yield Stage.PROVISIONED
    drafted = story.count_seats(line, 1, 200 + story.rng.randint(1, 20))
    below = story.count_seats(line, 2, 199)
    equal = story.count_seats(line, 3, 200)
    posted = story.count_seats(line, 4, 200 + story.rng.randint(1, 20))
    trial = story.count_seats(line, 5, 260, trial=True)
    yield Stage.INVOICED
    _seats(story, line, drafted, "the overage is on the draft of the month that follows")
    _seats(story, line, below, "one seat below what is included")
    _seats(story, line, equal, "exactly what is included")
    _seats(story, line, posted, "the overage was billed with the month that followed")
    _seats(story, line, trial, "a trial of more seats")


def _seats(story: Story, line: ContractLine, month: date, note: str) -> None:
    story.resemble("seat_overage_unbilled", METERING, "entitlements", seat_key(line.crm_id, month), note)


TALES = (
    Tale(late_usage, "USD", CLEAN_BATCH),
    Tale(late_usage, "USD", CLEAN_BATCH),
    Tale(test_tenant, "USD", CLEAN_BATCH),
    Tale(two_tenants_alike, "USD", CLEAN_BATCH),
    Tale(two_tenants_alike, "JPY", CLEAN_BATCH),
    Tale(seats_in_order, "USD", CLEAN_BATCH),
    Tale(seats_in_order, "EUR", CLEAN_BATCH),
)
