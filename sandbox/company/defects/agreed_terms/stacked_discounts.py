"""Two discounts at once, more than the policy allows or not meant to combine."""

from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.discounts import grant
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "stacked_discounts"
_LIMIT = Decimal("0.25")


def above_the_policy(story: Story) -> Plot:
    """20 % and 15 %, in the draft and one month before."""
    yield from _stacked(story, Terms("SEAT-STD", story.rng.randint(60, 140)), Decimal("0.2"), Decimal("0.15"), 1)


def not_to_be_combined(story: Story) -> Plot:
    yield from _stacked(story, Terms("PLATFORM-ENT"), Decimal("0.1"), Decimal("0.05"), 1, stackable=False)


def above_the_policy_by_quarters(story: Story) -> Plot:
    terms = Terms("SEAT-PRO", story.rng.randint(20, 50), months=3)
    yield from _stacked(story, terms, Decimal("0.18"), Decimal("0.12"), 3)


def _stacked(
    story: Story, terms: Terms, first: Decimal, second: Decimal, since: int, *, stackable: bool = True
) -> Plot:
    contract = story.sell(9, terms)
    line = story.line(contract, terms.product)
    start = story.months_ago(since)
    yield Stage.SIGNED
    grant(story.world, line, "Partner", first, None, start, None, stackable=stackable)
    grant(story.world, line, "Winter", second, None, start, None, stackable=stackable)
    yield Stage.INVOICED
    billed = story.world.billed(story.charge(contract, terms.product).billing_id)
    for day in sorted({one.start for one in billed if one.kind == "discount"}):
        taken = [one for one in billed if one.kind == "discount" and one.start == day]
        gross = sum(one.amount for one in billed if one.kind == "charge" and one.start == day)
        off = -sum(one.amount for one in taken)
        allowed = gross * _LIMIT if stackable else max(-one.amount for one in taken)
        excess = document(off - allowed, story.currency)
        key = max(one.billing_id for one in taken)
        note = f"{off} off {gross}, {allowed} allowed"
        story.plant(Planted(CHECK, BILLING, "invoice_lines", key, excess, story.currency, note, day))


TALES = (
    Tale(above_the_policy, "USD"),
    Tale(not_to_be_combined, "EUR"),
    Tale(above_the_policy_by_quarters, "JPY"),
    Tale(above_the_policy, "GBP"),
)
