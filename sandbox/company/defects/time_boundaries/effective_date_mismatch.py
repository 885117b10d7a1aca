"""Service begins or ends on another day in one system than in another."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, ERP, Consequence, Planted
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "effective_date_mismatch"
_YEAR_DAYS = 365


def start_moved_in_the_crm(story: Story) -> Plot:
    """The contract was moved a few days forward after the hand-over; billing has billed since the first start."""
    contract = story.sell(7, Terms("SEAT-STD", story.rng.randint(40, 110)))
    days = story.rng.randint(4, 11)
    yield Stage.INVOICED
    line = story.line(contract, "SEAT-STD")
    story.world.lines[line.crm_id] = replace(line, start=line.start + timedelta(days=days))
    first = story.posted(story.charge(contract, "SEAT-STD"))[0]
    terms = Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", first.billing_id)
    _plant(story, contract, "SEAT-STD", days, f"the contract begins {days} days later than billing", terms)


def term_typed_again(story: Story) -> Plot:
    """The subscription's term ends a month before the contract's, outside the period that is billed now."""
    contract = story.sell(8, Terms("PLATFORM-ENT", months=3), term=36)
    yield Stage.INVOICED
    subscription = story.world.subscriptions[contract.crm_id]
    assert subscription.end is not None, "it was sold for three years"
    ends = add_months(subscription.end, -1)
    story.world.subscriptions[contract.crm_id] = replace(subscription, end=ends)
    charge = story.charge(contract, "PLATFORM-ENT")
    story.world.charges[charge.billing_id] = replace(
        charge, end=ends, segments=(*charge.segments[:-1], replace(charge.segments[-1], end=ends))
    )
    _plant(story, contract, "PLATFORM-ENT", (subscription.end - ends).days, f"billing ends on {ends}")


def spread_over_other_days(story: Story) -> Plot:
    """The ERP has the line of the last invoice five days longer than it was billed for."""
    contract = story.sell(6, Terms("SEAT-PRO", story.rng.randint(15, 60)))
    yield Stage.COPIED
    line = story.posted(story.charge(contract, "SEAT-PRO"))[-1]
    copied = story.world.line_in_erp(line.billing_id)
    story.world.erp_lines[copied.key] = replace(copied, end=line.end + timedelta(days=5))
    amount = document(Fraction(line.amount) * 5 / (line.end - line.start).days, story.currency)
    note = f"the ERP ends the line five days after {line.end}"
    spread = Consequence("revenue_schedule_mismatch", ERP, "invoice_lines", str(copied.key))
    story.plant(Planted(CHECK, ERP, "invoice_lines", str(copied.key), amount, story.currency, note, also=(spread,)))


def _plant(story: Story, contract: Contract, product: str, days: int, note: str, *also: Consequence) -> None:
    charge = story.charge(contract, product)
    line = story.line(contract, product)
    amount = document(Fraction(line.quantity * line.price) * 12 * days / _YEAR_DAYS, story.currency)
    story.plant(
        Planted(CHECK, BILLING, "subscription_lines", charge.billing_id, amount, story.currency, note, also=also)
    )


TALES = (
    Tale(start_moved_in_the_crm, "USD"),
    Tale(term_typed_again, "EUR"),
    Tale(spread_over_other_days, "GBP"),
    Tale(start_moved_in_the_crm, "JPY"),
)
