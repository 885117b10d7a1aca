"""An active subscription has a line that bills nothing for a part of its term."""

from dataclasses import replace
from datetime import date

from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.model import Charge, Contract
from sandbox.company.periods import add_months, periods
from sandbox.company.provisioning import split_segment
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "subscription_line_without_schedule"


def monthly_line_ends_early(story: Story) -> Plot:
    contract = story.sell(14, Terms("SEAT-STD", story.rng.randint(40, 120)), Terms("PLATFORM"))
    yield Stage.PROVISIONED
    _end_early(story, contract, "SEAT-STD", 2)


def annual_line_ends_early(story: Story) -> Plot:
    """The term was extended to three years, the line was not."""
    contract = story.sell(14, Terms("PLATFORM-ENT", months=12), Terms("SEAT-VIEW", 90, months=12), term=36)
    yield Stage.PROVISIONED
    _end_early(story, contract, "PLATFORM-ENT", 2)


def gap_between_segments(story: Story) -> Plot:
    contract = story.sell(12, Terms("SEAT-PRO", story.rng.randint(20, 60)))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "SEAT-PRO")
    start, end = story.months_ago(5), story.months_ago(4)
    split = split_segment(story.world, contract.crm_id, charge, end)
    first, second = split.segments
    story.world.charges[charge.billing_id] = replace(split, segments=(replace(first, end=start), second))
    _plant(
        story, charge, start, _missed(charge, start, add_months(end, -1)), "a month between two segments is in neither"
    )


def _end_early(story: Story, contract: Contract, product: str, months_ago: int) -> None:
    """Today billing bills less than the contract says, so a comparison of the two may name the line as well."""
    charge = story.charge(contract, product)
    day = story.months_ago(months_ago)
    segments = (replace(charge.segments[0], end=day),)
    story.world.charges[charge.billing_id] = replace(charge, end=day, segments=segments)
    less = Consequence("order_lines_missing_in_billing", CRM, "contract_lines", charge.line_id)
    note = f"the last segment ends on {day}, the subscription goes on"
    _plant(story, charge, day, (less, *_missed(charge, day, story.today)), note)


def _missed(charge: Charge, first: date, last: date) -> tuple[Consequence, ...]:
    """The periods that begin within these days: not billed for want of a schedule, they may be missed as well."""
    return tuple(
        Consequence("missing_expected_invoice", BILLING, "subscription_lines", charge.billing_id, start)
        for start, _ in periods(first, None, charge.anchor, charge.billing_months, last)
    )


def _plant(story: Story, charge: Charge, since: date, also: tuple[Consequence, ...], note: str) -> None:
    story.plant(
        Planted(CHECK, BILLING, "subscription_lines", charge.billing_id, None, story.currency, note, since, also)
    )


TALES = (Tale(monthly_line_ends_early, "USD"), Tale(annual_line_ends_early, "GBP"), Tale(gap_between_segments, "EUR"))
