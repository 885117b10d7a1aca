"""The subscription has ended, and a later period is billed."""

from dataclasses import replace

from sandbox.company.amending import cancel
from sandbox.company.billing import new_invoice, put_line, run_on
from sandbox.company.deals import BAD_BATCH, Terms
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.rating import Item
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "cancelled_still_billing"


def drafted_monthly(story: Story) -> Plot:
    yield from _goes_on(story, Terms("SEAT-STD", story.rng.randint(40, 90)), 10, 2, 0)


def posted_monthly(story: Story) -> Plot:
    yield from _goes_on(story, Terms("SUPPORT", 2), 13, 4, 3)


def drafted_annual(story: Story) -> Plot:
    """Cancelled at the end of its first year; the draft bills the second."""
    yield from _goes_on(story, Terms("PLATFORM", months=12), 12, 0, 0)


def _goes_on(story: Story, terms: Terms, began: int, cancelled: int, billed: int) -> Plot:
    """Began, was cancelled and is billed again so many months ago."""
    contract = cancel(story.deals, story.sell(began, terms), story.months_ago(cancelled))
    yield Stage.SIGNED
    _half_built(story, contract)
    yield Stage.INVOICED
    charge = story.charge(contract, terms.product)
    day = story.months_ago(billed)
    run = run_on(story.world, day, BAD_BATCH if day == story.today else "")
    invoice = new_invoice(story.world, run, contract.crm_id)
    last = charge.segments[-1]
    assert last.quantity is not None, "a recurring charge has a quantity"
    end = add_months(day, charge.billing_months)
    line = put_line(story.world, invoice, Item(charge, last, day, day, end, last.quantity))
    not_in_force = Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id, day)
    note = f"cancelled from {contract.cancelled_on} on"
    story.plant(
        Planted(
            CHECK, BILLING, "invoice_lines", line.billing_id, line.amount, story.currency, note, day, (not_in_force,)
        )
    )


def _half_built(story: Story, contract: Contract) -> None:
    """The contract says that it is cancelled, its lines do not yet say so."""
    for line in story.world.lines_of(contract.crm_id):
        story.world.lines[line.crm_id] = replace(line, terminated=None)


TALES = (Tale(drafted_monthly, "USD"), Tale(posted_monthly, "GBP"), Tale(drafted_annual, "JPY"))
