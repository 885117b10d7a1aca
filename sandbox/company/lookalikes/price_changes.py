"""Prices and quantities that change over a term, or do not, as was agreed."""

from datetime import timedelta
from decimal import Decimal

from sandbox.company.amending import change
from sandbox.company.amounts import local_price
from sandbox.company.deals import CLEAN_BATCH, Step, Terms
from sandbox.company.labels import BILLING, CRM
from sandbox.company.model import Uplift
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale


def index_not_published(story: Story) -> Plot:
    """The rise is due, and its rate will be known next month."""
    uplift = Uplift(Decimal("0.05"), story.months_ago(1), None, "CPI-U")
    yield from _unchanged(story, uplift, "the index is not published yet")


def index_fixed_later(story: Story) -> Plot:
    """A rate is known, and holds from the first of next month."""
    fixed_on = add_months(story.today, 1)
    uplift = Uplift(Decimal("0.04"), story.months_ago(2), None, "CPI-U", fixed_on)
    yield from _unchanged(story, uplift, f"holds from {fixed_on}")


def waived(story: Story) -> Plot:
    yield from _unchanged(story, Uplift(Decimal("0.05"), story.months_ago(2), waived=True), "waived for good")


def held_by_the_cap(story: Story) -> Plot:
    """The index rose by 9 %, the price by 3 %."""
    first = story.months_ago(2)
    uplift = Uplift(Decimal("0.09"), first, None, "RPI", first - timedelta(days=25), Decimal("0.01"), Decimal("0.03"))
    yield from _unchanged(story, uplift, "3 % by the cap, not 9 %")


def seats_added_after_a_rise(story: Story) -> Plot:
    """They are sold at the price that is in force by then."""
    uplift = Uplift(Decimal("0.05"), story.months_ago(6))
    contract = story.sell(18, Terms("SEAT-PRO", story.rng.randint(20, 60), uplift=uplift), term=36)
    change(story.deals, story.line(contract, "SEAT-PRO"), 7, story.months_ago(2))
    yield Stage.INVOICED
    for line in story.posted(story.charge(contract, "SEAT-PRO"))[-2:]:
        for check in ("missed_uplift", "contract_terms_vs_billing"):
            story.resemble(check, BILLING, "invoice_lines", line.billing_id, "more seats at the risen price")


def step_taken(story: Story) -> Plot:
    step = Step(6, 90, local_price(Decimal(34), story.currency))
    contract = story.sell(8, Terms("SEAT-STD", 50, ramp=(step,)), term=24)
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-STD"))
    for check in ("ramp_step_missed", "contract_terms_vs_billing"):
        story.resemble(check, BILLING, "invoice_lines", line.billing_id, "the second step, and billed so")
    first = story.line(contract, "SEAT-STD")
    story.resemble("order_lines_missing_in_billing", CRM, "contract_lines", first.crm_id, "the step before")


def step_moved(story: Story) -> Plot:
    """An amendment took the seats of the second step away again before it began."""
    step = Step(6, 90, local_price(Decimal(34), story.currency))
    contract = story.sell(9, Terms("SEAT-STD", 60, local_price(Decimal(34), story.currency), ramp=(step,)), term=24)
    later = next(line for line in story.world.lines_of(contract.crm_id) if line.step == 2)
    change(story.deals, later, -30, later.start)
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-STD"))
    note = "the step was made smaller by an amendment"
    for check in ("ramp_step_missed", "contract_terms_vs_billing"):
        story.resemble(check, BILLING, "invoice_lines", line.billing_id, note)


def _unchanged(story: Story, uplift: Uplift, note: str) -> Plot:
    contract = story.sell(15, Terms("PLATFORM", uplift=uplift), term=36)
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "PLATFORM"))
    for check in ("missed_uplift", "contract_terms_vs_billing"):
        story.resemble(check, BILLING, "invoice_lines", line.billing_id, note)


TALES = (
    Tale(index_not_published, "USD", CLEAN_BATCH),
    Tale(step_moved, "USD", CLEAN_BATCH),
    Tale(seats_added_after_a_rise, "GBP", CLEAN_BATCH),
    Tale(index_fixed_later, "EUR", CLEAN_BATCH),
    Tale(waived, "JPY", CLEAN_BATCH),
    Tale(held_by_the_cap, "GBP", CLEAN_BATCH),
    Tale(step_taken, "EUR", CLEAN_BATCH),
)
