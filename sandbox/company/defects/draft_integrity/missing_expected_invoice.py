"""A period was due and nobody billed it."""

from collections.abc import Sequence

from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.model import ARREARS, Charge
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "missing_expected_invoice"


def monthly_draft_absent(story: Story) -> Plot:
    yield from _draft_absent(story, Terms("SEAT-STD", story.rng.randint(50, 150)), 11)


def quarterly_draft_absent(story: Story) -> Plot:
    yield from _draft_absent(story, Terms("PLATFORM-ENT", months=3, timing=ARREARS), 9)


def annual_draft_absent(story: Story) -> Plot:
    yield from _draft_absent(story, Terms("SEAT-PRO", story.rng.randint(30, 60), months=12), 12)


def one_month_skipped(story: Story) -> Plot:
    contract = story.sell(10, Terms("SUPPORT", 3))
    yield Stage.INVOICED
    charge = story.charge(contract, "SUPPORT")
    skipped = story.posted(charge)[-2]
    _remove(story, charge, [skipped], "one month was skipped, the next was billed")


def billing_stopped(story: Story) -> Plot:
    """One finding for each of the four periods since."""
    contract = story.sell(8, Terms("SEAT-VIEW", story.rng.randint(100, 250)))
    yield Stage.INVOICED
    charge = story.charge(contract, "SEAT-VIEW")
    _remove(story, charge, [*story.posted(charge)[-3:], story.drafted(charge)], "nothing billed since")


def _draft_absent(story: Story, terms: Terms, months_ago: int) -> Plot:
    contract = story.sell(months_ago, terms)
    yield Stage.INVOICED
    charge = story.charge(contract, terms.product)
    _remove(story, charge, [story.drafted(charge)], "due in this run, and not on it")


def _remove(story: Story, charge: Charge, lines: Sequence[InvoiceLine], note: str) -> None:
    story.world.remove_lines(lines)
    for line in lines:
        story.plant(
            Planted(
                CHECK,
                BILLING,
                "subscription_lines",
                charge.billing_id,
                line.amount,
                story.currency,
                note,
                line.start,
            )
        )


TALES = (
    Tale(monthly_draft_absent, "USD"),
    Tale(quarterly_draft_absent, "EUR"),
    Tale(annual_draft_absent, "GBP"),
    Tale(one_month_skipped, "USD"),
    Tale(billing_stopped, "JPY"),
)
