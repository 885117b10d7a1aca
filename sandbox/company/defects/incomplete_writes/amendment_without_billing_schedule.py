"""An amendment was ordered and has taken effect, and billing still bills the old quantity."""

from datetime import date

from sandbox.company.amending import change
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.model import ARREARS, Change, Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "amendment_without_billing_schedule"


def more_annual_seats(story: Story) -> Plot:
    """The year is paid for already, so no later invoice shows what is missing."""
    contract = story.sell(9, Terms("SEAT-PRO", story.rng.randint(50, 120), months=12))
    made = _ordered(story, contract, "SEAT-PRO", story.rng.randint(8, 25), story.months_ago(3))
    yield from _ignored(story, made, "seats added in the middle of an annual period")


def more_quarterly_seats(story: Story) -> Plot:
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(80, 200), months=3), Terms("SUPPORT", months=3))
    made = _ordered(story, contract, "SEAT-STD", story.rng.randint(10, 30), story.months_ago(1))
    yield from _ignored(story, made, "seats added in the middle of a quarter")


def more_seats_in_arrears(story: Story) -> Plot:
    """The first period that the change touches ends after the run, so no invoice line is wrong yet."""
    contract = story.sell(11, Terms("SEAT-STD", story.rng.randint(80, 200), months=6, timing=ARREARS))
    made = _ordered(story, contract, "SEAT-STD", story.rng.randint(10, 30), story.months_ago(4))
    yield from _ignored(story, made, "seats added, billed twice a year in arrears")


def more_monthly_seats(story: Story) -> Plot:
    """The draft of this month bills the old quantity too, which is wrong for the same reason."""
    contract = story.sell(6, Terms("SEAT-VIEW", story.rng.randint(100, 300)))
    middle = story.months_ago(1).replace(day=story.rng.randint(9, 19))
    made = _ordered(story, contract, "SEAT-VIEW", story.rng.randint(20, 60), middle)
    yield from _ignored(story, made, "seats added in the middle of last month, billed monthly")


def _ordered(story: Story, contract: Contract, product: str, delta: int, effective: date) -> Change:
    return change(story.deals, story.line(contract, product), delta, effective)


def _ignored(story: Story, made: Change, note: str) -> Plot:
    """Whatever is billed for days after the change is short of it, and may be found by its lines as well."""
    yield Stage.SIGNED
    story.world.not_applied.add(made.amendment_id)
    yield Stage.INVOICED
    charge = story.world.charge_of(made.line_id)
    short = tuple(
        Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id, line.start)
        for line in story.world.billed(charge.billing_id)
        if line.end > made.effective
    )
    said = f"{note}: {made.delta:+} at {charge.price} {story.currency} a month since {made.effective}"
    story.plant(Planted(CHECK, CRM, "amendments", made.amendment_id, None, story.currency, said, also=short))


TALES = (
    Tale(more_annual_seats, "USD"),
    Tale(more_quarterly_seats, "GBP"),
    Tale(more_seats_in_arrears, "JPY"),
    Tale(more_monthly_seats, "EUR"),
)
