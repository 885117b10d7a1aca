"""Contract values that differ by a factor, once, and for a reason of their own."""

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import CRM
from sandbox.company.stories import Plot, Stage, Story, Tale
from sandbox.company.worth import monthly_value

CHECK = "contract_value_definition_mismatch"


def one_that_was_typed_wrong(story: Story) -> Plot:
    """A single contract proves no definition."""
    contract = story.sell(7, Terms("PLATFORM", 2))
    yield Stage.PROVISIONED
    story.world.held_values[contract.crm_id] = monthly_value(story.world, contract.crm_id) * 12
    story.resemble(CHECK, CRM, "contracts", contract.crm_id, "one contract only")


def with_set_up_fees(story: Story) -> Plot:
    """What is charged once is part of the whole value and recurs in no month."""
    contract = story.sell(7, Terms("SUPPORT"), Terms("SETUP", 3))
    yield Stage.SIGNED
    story.resemble(CHECK, CRM, "contracts", contract.crm_id, "one-time charges are part of the whole")


TALES = (
    Tale(one_that_was_typed_wrong, "JPY", CLEAN_BATCH),
    Tale(with_set_up_fees, "EUR", CLEAN_BATCH),
)
