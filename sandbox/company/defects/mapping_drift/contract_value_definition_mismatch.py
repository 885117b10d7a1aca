"""A field of many contracts was filled by another definition of their value."""

from collections.abc import Callable
from decimal import Decimal

from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale
from sandbox.company.world import World
from sandbox.company.worth import monthly_value

CHECK = "contract_value_definition_mismatch"
_ENOUGH = 5
Fill = Callable[[World, Contract, Decimal], None]


def a_year_in_billing(story: Story) -> Plot:
    """Billing should hold a month's value, and holds a year's."""
    yield from _filled(story, 24, lambda world, contract, month: _hold(world, contract, month * 12), "a year's value")


def the_whole_term_in_billing(story: Story) -> Plot:
    yield from _filled(story, 36, lambda world, contract, month: _hold(world, contract, month * 36), "the whole term's")


def a_year_in_the_crm(story: Story) -> Plot:
    yield from _filled(story, 24, lambda world, contract, month: _state(world, contract, month * 12), "a year's value")


def _filled(story: Story, term: int, fill: Fill, note: str) -> Plot:
    terms = Terms("SEAT-STD", story.rng.randint(20, 60))
    contracts = [story.sell(months, terms, term=term) for months in range(5, 5 + _ENOUGH)]
    yield Stage.PROVISIONED
    stated = held = Decimal(0)
    for contract in contracts:
        month = monthly_value(story.world, contract.crm_id)
        fill(story.world, contract, month)
        stated += story.world.stated_values.get(contract.crm_id, month * term)
        held += story.world.held_values.get(contract.crm_id, month) * term
    first = min(contract.crm_id for contract in contracts)
    story.plant(Planted(CHECK, CRM, "contracts", first, abs(stated - held), story.currency, f"{note}, five times"))


def _hold(world: World, contract: Contract, value: Decimal) -> None:
    world.held_values[contract.crm_id] = value


def _state(world: World, contract: Contract, value: Decimal) -> None:
    world.stated_values[contract.crm_id] = value


TALES = (
    Tale(a_year_in_billing, "USD"),
    Tale(the_whole_term_in_billing, "EUR"),
    Tale(a_year_in_the_crm, "GBP"),
)
