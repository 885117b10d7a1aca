"""Won weeks ago, under contract, and billing has never heard of it."""

from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Consequence, Planted
from sandbox.company.model import ARREARS, Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "closed_won_not_in_billing"


def new_customer(story: Story) -> Plot:
    contract = story.sell(2, Terms("SEAT-STD", story.rng.randint(40, 160)), Terms("SETUP"), term=12)
    yield Stage.SIGNED
    _withhold(story, contract, "a new customer, the hand-over never ran")


def second_contract(story: Story) -> Plot:
    """The customer is billed for one contract, so its account looks well."""
    first = story.sell(14, Terms("PLATFORM", months=12))
    account = story.world.accounts[first.account_id]
    terms = Terms("PLATFORM-ENT", months=12)
    second = story.deals.sell(account, story.months_ago(3), 24, [terms], kind="Upsell")
    yield Stage.SIGNED
    _withhold(story, second, "the customer's second contract; the first one is billed")


def in_arrears(story: Story) -> Plot:
    contract = story.sell(5, Terms("SUPPORT", 3, months=3, timing=ARREARS), term=12)
    yield Stage.SIGNED
    _withhold(story, contract, "billed in arrears, so nobody expected a first invoice")


def _withhold(story: Story, contract: Contract, note: str) -> None:
    story.world.not_in_billing.add(contract.crm_id)
    lines = story.world.lines_of(contract.crm_id)
    story.plant(
        Planted(
            CHECK,
            CRM,
            "opportunities",
            contract.opportunity_id,
            None,
            story.currency,
            note,
            also=tuple(
                Consequence("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id) for line in lines
            ),
        )
    )


TALES = (Tale(new_customer, "USD"), Tale(second_contract, "EUR"), Tale(in_arrears, "JPY"))
