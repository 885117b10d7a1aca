"""Modules are switched on that no contract holds."""

from datetime import date
from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.catalog import PRODUCTS
from sandbox.company.deals import Terms
from sandbox.company.delivering import Grant
from sandbox.company.labels import METERING, Planted
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "entitlement_exceeds_contract"


def never_sold(story: Story) -> Plot:
    contract = story.sell(9, Terms("PLATFORM"))
    yield Stage.PROVISIONED
    _switch_on(story, contract, "SUPPORT", 1, 1, "support without a contract")


def more_than_sold(story: Story) -> Plot:
    """Forty of them are in the bundle that was bought."""
    bundle = (Terms("SUITE", 40), Terms("SUITE-FORECAST", 40, rolls_up=True))
    contract = story.sell(7, *bundle)
    yield Stage.PROVISIONED
    _switch_on(story, contract, "SUITE-FORECAST", 65, 25, "sixty-five, where forty are contracted")


def beta_that_ran_out(story: Story) -> Plot:
    contract = story.sell(5, Terms("SEAT-STD", 30))
    yield Stage.PROVISIONED
    ended = add_months(story.today.replace(day=1), -1)
    _switch_on(story, contract, "SUITE-FORECAST", 30, 30, "a beta that ended a month ago", tag="Beta", expires=ended)


def _switch_on(
    story: Story,
    contract: Contract,
    product: str,
    quantity: int,
    excess: int,
    note: str,
    *,
    tag: str | None = None,
    expires: date | None = None,
) -> None:
    month = add_months(story.today.replace(day=1), -1)
    grant = Grant(contract.account_id, product, month, Decimal(quantity), tag, expires)
    story.world.grants[contract.account_id, product, month] = grant
    amount = document(excess * local_price(PRODUCTS[product].list_price, story.currency), story.currency)
    story.plant(Planted(CHECK, METERING, "entitlements", grant.key, amount, story.currency, note, month))


TALES = (Tale(never_sold, "USD"), Tale(more_than_sold, "EUR"), Tale(beta_that_ran_out, "JPY"))
