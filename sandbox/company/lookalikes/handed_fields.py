"""Fields that billing holds in another way than the CRM, and that come to the same."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import CRM
from sandbox.company.model import Contract, Uplift
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "field_dropped_in_handoff"


def discount_in_the_price(story: Story) -> Plot:
    """Billing knows no discounts, only prices; this one has risen since by more than the discount was."""
    agreed = story.off_list("PLATFORM", Decimal("0.97"))
    terms = Terms("PLATFORM", price=agreed, uplift=Uplift(Decimal("0.05"), story.months_ago(4)))
    contract = story.sell(16, terms, term=36)
    yield Stage.INVOICED
    _resemble(story, contract, "3 % off in the CRM, and in the price that billing has")


def bundle(story: Story) -> Plot:
    """Billing has one line for a bundle and its parts, and its price is that of all."""
    seats = story.rng.randint(30, 80)
    parts = [Terms(part, seats, rolls_up=True) for part in ("SUITE-FORECAST", "SUITE-MOBILE")]
    contract = story.sell(6, Terms("SUITE", seats), *parts)
    yield Stage.INVOICED
    _resemble(story, contract, "the price of the bundle holds that of its parts")


def code_of_the_product(story: Story) -> Plot:
    """The line says no tax code; its invoices have that of the product, which is the same."""
    contract = story.sell(5, Terms("SUPPORT", 2))
    yield Stage.INVOICED
    charge = story.charge(contract, "SUPPORT")
    story.world.charges[charge.billing_id] = replace(charge, tax_code=None)
    _resemble(story, contract, "the tax code comes from the product")


def _resemble(story: Story, contract: Contract, note: str) -> None:
    for line in story.world.lines_of(contract.crm_id):
        story.resemble(CHECK, CRM, "contract_lines", line.crm_id, note)


TALES = (
    Tale(discount_in_the_price, "USD", CLEAN_BATCH),
    Tale(code_of_the_product, "EUR", CLEAN_BATCH),
    Tale(bundle, "GBP", CLEAN_BATCH),
)
