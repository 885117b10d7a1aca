"""What was added within a period is billed for two days too many, or too few."""

from datetime import date, timedelta

from sandbox.company.amending import add_on, change
from sandbox.company.deals import Terms
from sandbox.company.documents import CHARGE
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.manual import bill_at
from sandbox.company.model import Charge
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "coterm_proration_error"


def seats_from_the_eleventh(story: Story) -> Plot:
    contract = story.sell(7, Terms("SEAT-STD", 80))
    day = story.months_ago(2).replace(day=11)
    change(story.deals, story.line(contract, "SEAT-STD"), 25, day)
    yield Stage.INVOICED
    _miscount(story, story.charge(contract, "SEAT-STD"), day, 2)


def support_from_the_middle(story: Story) -> Plot:
    """Added on its own, and billed from two days later on."""
    contract = story.sell(9, Terms("PLATFORM"), bill_day=15)
    day = story.months_ago(3, 15) + timedelta(days=12)
    line = add_on(story.deals, contract, Terms("SUPPORT", 2), day)
    yield Stage.INVOICED
    _miscount(story, story.world.charge_of(line.crm_id), day, -2)


def viewers_in_yen(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-VIEW", 300))
    day = story.months_ago(1).replace(day=20)
    change(story.deals, story.line(contract, "SEAT-VIEW"), 40, day)
    yield Stage.INVOICED
    _miscount(story, story.charge(contract, "SEAT-VIEW"), day, 1)


def _miscount(story: Story, charge: Charge, day: date, days: int) -> None:
    """The charge that begins on the day is billed for so many days more."""
    (line,) = [line for line in story.posted(charge) if line.start == day and line.kind == CHARGE]
    counted = (line.end - line.start).days
    wrong = bill_at(story.world, line, line.amount * (counted + days) / counted)
    note = f"{counted + days} days instead of {counted}"
    difference = abs(wrong.amount - line.amount)
    # Where the whole quantity is billed anew, two days of it are more than the terms allow a part of a period.
    also = (Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id),)
    story.plant(
        Planted(CHECK, BILLING, "invoice_lines", line.billing_id, difference, story.currency, note, line.start, also)
    )


TALES = (
    Tale(seats_from_the_eleventh, "USD"),
    Tale(support_from_the_middle, "GBP"),
    Tale(viewers_in_yen, "JPY"),
)
