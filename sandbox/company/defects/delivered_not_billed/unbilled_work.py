"""Work was approved and is on no invoice."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.deals import Terms
from sandbox.company.delivering import WorkItem, item, work
from sandbox.company.labels import SERVICES, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "unbilled_work"


def last_hours_of_the_month(story: Story) -> Plot:
    """Hours are billed every month; those of one day in the month that has ended are not."""
    contract = story.sell(6, Terms("PLATFORM"), Terms("CONSULTING"))
    yield Stage.PROVISIONED
    line = story.line(contract, "CONSULTING")
    story.world.told_work.add(line.crm_id)
    for months in range(5, 0, -1):
        for day in (6, 14):
            work(story.world, line, story.rng.randint(3, 8), story.months_ago(months).replace(day=day))
    yield Stage.INVOICED
    forgotten = work(story.world, line, 6, story.months_ago(1).replace(day=23))
    _plant(story, forgotten, 6 * line.price, "six hours are missing from the draft")


def nobody_billed_hours(story: Story) -> Plot:
    contract = story.sell(8, Terms("CONSULTING"), bill_day=12)
    yield Stage.PROVISIONED
    line = story.line(contract, "CONSULTING")
    story.world.told_work.add(line.crm_id)
    yield Stage.INVOICED
    for weeks in (11, 9):
        hours = story.rng.randint(4, 9)
        made = work(story.world, line, hours, story.today - timedelta(weeks=weeks))
        _plant(story, made, hours * line.price, f"{hours} hours, and no invoice for services at all")


def milestone_and_expenses(story: Story) -> Plot:
    """The fee is fixed: hours are in it. A milestone was reached, and is billed beside it."""
    lines = (Terms("PLATFORM"), Terms("CONSULTING"))
    contract = story.deals.sell(story.account(), story.months_ago(7), 24, lines, billing_rule="Fixed Fee")
    yield Stage.PROVISIONED
    line = story.line(contract, "CONSULTING")
    story.world.told_work.add(line.crm_id)
    yield Stage.INVOICED
    day = story.months_ago(2).replace(day=8)
    approved = datetime.combine(day + timedelta(days=2), time(9), UTC)
    amount = local_price(Decimal(7_500), story.currency)
    reached = item(story.world, line, "Milestone", day, approved, amount=amount)
    _plant(story, reached, amount, "a milestone of a fixed fee")


def _plant(story: Story, made: WorkItem, value: Decimal, note: str) -> None:
    amount = document(value, story.currency)
    story.plant(Planted(CHECK, SERVICES, "work_items", made.key, amount, story.currency, note))


TALES = (Tale(last_hours_of_the_month, "USD"), Tale(nobody_billed_hours, "JPY"), Tale(milestone_and_expenses, "EUR"))
