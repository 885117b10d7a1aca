"""The ERP has a revenue plan of an invoice line that it does not have: its id is of another account."""

from dataclasses import replace

from sandbox.company.deals import Terms
from sandbox.company.labels import ERP, Planted
from sandbox.company.render_netsuite import PLANS
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "orphan_child_record"
_ELSEWHERE = 70_000_000  # line keys of the sandbox account that the plans were copied from


def a_month_of_seats(story: Story) -> Plot:
    yield from _stray(story, Terms("SEAT-STD", story.rng.randint(15, 60)), 4)


def a_year_of_platform(story: Story) -> Plot:
    yield from _stray(story, Terms("PLATFORM-ENT", months=12), 9)


def a_quarter_of_support(story: Story) -> Plot:
    yield from _stray(story, Terms("SUPPORT", 2, months=3), 5)


def _stray(story: Story, terms: Terms, months_ago: int) -> Plot:
    contract = story.sell(months_ago, terms)
    yield Stage.COPIED
    world = story.world
    line = story.posted(story.charge(contract, terms.product))[-1]
    plan = world.revenue[world.line_in_erp(line.billing_id).key]
    lost = _ELSEWHERE + world.ids.number("stray plan")
    stray = replace(plan, erp_id=world.ids.erp("revenue element"), refers_to=lost)
    world.revenue[lost] = stray
    note = f"it names line {lost}, which nobody has"
    story.plant(
        Planted(CHECK, ERP, "revenue_schedules", str(stray.erp_id + PLANS), plan.planned_amount, story.currency, note)
    )


TALES = (
    Tale(a_month_of_seats, "USD"),
    Tale(a_year_of_platform, "EUR"),
    Tale(a_quarter_of_support, "JPY"),
    Tale(a_month_of_seats, "GBP"),
)
