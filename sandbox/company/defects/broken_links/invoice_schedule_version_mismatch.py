"""An invoice was made from the schedule before the last change."""

from decimal import Decimal

from sandbox.company.amending import change
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.manual import bill_at
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "invoice_schedule_version_mismatch"


def draft_of_the_old_version(story: Story) -> Plot:
    yield from _old_version(story, Terms("SEAT-STD", story.rng.randint(60, 120)), 9, 0, story.rng.randint(10, 30))


def posted_from_the_old_version(story: Story) -> Plot:
    yield from _old_version(story, Terms("SEAT-PRO", story.rng.randint(30, 60)), 10, 2, -story.rng.randint(3, 9))


def quarter_of_the_old_version(story: Story) -> Plot:
    yield from _old_version(story, Terms("SEAT-VIEW", 150, months=3), 9, 0, 40)


def _old_version(story: Story, terms: Terms, months_ago: int, since: int, delta: int) -> Plot:
    """The period in which the change takes effect is billed as if it had not."""
    contract = story.sell(months_ago, terms)
    change(story.deals, story.line(contract, terms.product), delta, story.months_ago(since))
    yield Stage.INVOICED
    charge = story.charge(contract, terms.product)
    old, new = charge.segments[-2:]
    line = next(line for line in story.world.billed(charge.billing_id) if line.start == new.start)
    assert old.quantity is not None
    amount = old.quantity * charge.price * terms.months
    stale = bill_at(story.world, line, amount, segment_id=old.billing_id, quantity=old.quantity)
    note = f"version {old.version} of {new.version}: {delta:+} are missing"
    _plant(story, stale, abs(line.amount - stale.amount), note)


def _plant(story: Story, line: InvoiceLine, amount: Decimal, note: str) -> None:
    at = (BILLING, "invoice_lines", line.billing_id)
    also = (Consequence("contract_terms_vs_billing", *at, line.start),)
    story.plant(Planted(CHECK, *at, amount, story.currency, note, line.start, also))


TALES = (
    Tale(draft_of_the_old_version, "USD"),
    Tale(posted_from_the_old_version, "EUR"),
    Tale(quarter_of_the_old_version, "JPY"),
    Tale(draft_of_the_old_version, "GBP"),
)
