"""A deal grows by steps, and billing stayed at an earlier one."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document, local_price
from sandbox.company.deals import Step, Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "ramp_step_missed"


def second_year_not_begun(story: Story) -> Plot:
    """The first invoice of the second step is a draft."""
    few = story.rng.randint(50, 100)
    step = Step(12, 2 * few, local_price(Decimal(36), story.currency))
    contract = story.sell(12, Terms("SEAT-STD", few, local_price(Decimal(40), story.currency), ramp=(step,)), term=36)
    yield from _missed(story, contract, "SEAT-STD", 1)


def third_step_not_begun(story: Story) -> Plot:
    """Half-years; the second step was billed."""
    steps = tuple(Step(6 * n, 40 + 20 * n, local_price(Decimal(75 - n), story.currency)) for n in (1, 2))
    contract = story.sell(14, Terms("SEAT-PRO", 40, local_price(Decimal(75), story.currency), ramp=steps), term=24)
    yield from _missed(story, contract, "SEAT-PRO", 1, steps=1)


def quantity_without_price(story: Story) -> Plot:
    """Billing has the new quantity at the old price, by quarters."""
    old, new = (local_price(Decimal(price), story.currency) for price in (10, 12))
    contract = story.sell(15, Terms("SEAT-VIEW", 120, old, months=3, ramp=(Step(12, 200, new),)), term=36)
    yield from _missed(story, contract, "SEAT-VIEW", 3, keeps_price=True)


def _missed(
    story: Story, contract: Contract, product: str, months: int, steps: int = 0, *, keeps_price: bool = False
) -> Plot:
    """Billing takes the first few steps only, or the price of the first one to all."""
    yield Stage.SIGNED
    line = story.line(contract, product)
    missed = story.world.steps_of(line)[steps:]
    if not keeps_price:
        story.world.not_followed |= {(line.crm_id, step.start) for step in missed}
    yield Stage.PROVISIONED
    if keeps_price:
        charge = story.charge(contract, product)
        segments = tuple(replace(segment, price=None) for segment in charge.segments)
        story.world.charges[charge.billing_id] = replace(charge, segments=segments)
    yield Stage.INVOICED
    for billed in story.world.billed(story.charge(contract, product).billing_id):
        step = next((step for step in reversed(missed) if step.start <= billed.start), None)
        if step is not None:
            due = Fraction(step.quantity * step.price) * months
            amount = document(due - Fraction(billed.quantity * billed.price) * months, story.currency)
            note = f"{billed.quantity} × {billed.price} billed, {step.quantity} × {step.price} since {step.start}"
            story.plant(
                Planted(CHECK, BILLING, "invoice_lines", billed.billing_id, amount, story.currency, note, billed.start)
            )


TALES = (
    Tale(second_year_not_begun, "USD"),
    Tale(third_step_not_begun, "EUR"),
    Tale(quantity_without_price, "JPY"),
    Tale(second_year_not_begun, "GBP"),
)
