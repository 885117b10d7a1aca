"""Usage that arrived after its invoice was made, and that the next invoice does not hold."""

from datetime import UTC, datetime, time, timedelta

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.model import Charge
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "usage_after_cutoff_unbilled"


def three_days_late(story: Story) -> Plot:
    """Of the month before the last one; the drafts of today have left it out."""
    contract = story.sell(6, Terms("PLATFORM"), Terms("STORAGE"))
    yield Stage.PROVISIONED
    story.weekly(story.charge(contract, "STORAGE"))
    yield Stage.INVOICED
    _late(story, story.charge(contract, "STORAGE"), 2, "three days late, and not on the next draft")


def lost_for_two_cycles(story: Story) -> Plot:
    contract = story.sell(10, Terms("SMS"), bill_day=5)
    yield Stage.PROVISIONED
    story.weekly(story.charge(contract, "SMS"))
    yield Stage.INVOICED
    _late(story, story.charge(contract, "SMS"), 4, "three days late, and on none of the later invoices")


def no_invoice_at_all(story: Story) -> Plot:
    """The run of one month left the usage out, the runs before and after did not."""
    contract = story.sell(8, Terms("PLATFORM"), Terms("COMPUTE"))
    yield Stage.PROVISIONED
    story.weekly(story.charge(contract, "COMPUTE"))
    yield Stage.INVOICED
    charge = story.charge(contract, "COMPUTE")
    line = story.only_bill(charge, 2)
    story.world.remove_lines([line])
    note = "the usage of a month is on no invoice"
    story.plant(
        Planted(CHECK, BILLING, "subscription_lines", charge.billing_id, line.amount, story.currency, note, line.start)
    )


def _late(story: Story, charge: Charge, months_ago: int, note: str) -> None:
    line = story.only_bill(charge, months_ago)
    assert charge.tariff is not None, "the product has a tariff"
    late = story.used(
        charge,
        add_months(line.start, 1) - timedelta(days=4),
        20_000 + story.rng.randint(0, 5_000),
        arrives=datetime.combine(line.end + timedelta(days=2), time(10), UTC),
    )
    whole = document(charge.tariff.cost(line.quantity + late.quantity), story.currency)
    story.plant(
        Planted(
            CHECK,
            BILLING,
            "subscription_lines",
            charge.billing_id,
            whole - line.amount,
            story.currency,
            note,
            line.start,
        )
    )


TALES = (Tale(three_days_late, "USD"), Tale(lost_for_two_cycles, "JPY"), Tale(no_invoice_at_all, "GBP"))
