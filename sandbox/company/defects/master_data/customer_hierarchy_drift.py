"""A customer belongs to somebody else in billing or in the ERP than in the CRM."""

from dataclasses import replace

from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, ERP, Planted
from sandbox.company.model import Account, Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "customer_hierarchy_drift"


def parent_lost_in_the_erp(story: Story) -> Plot:
    parent, contract = _family(story, 6)
    yield Stage.INVOICED
    child = _owned(story, contract, parent)
    _plant(story, contract, ERP, str(child.erp_id), {"parent": None}, "the ERP has no parent above the customer")


def former_parent_in_the_erp(story: Story) -> Plot:
    """It was sold to another group, which only the CRM was told."""
    parent, contract = _family(story, 8)
    former = story.world.account_of(story.sell(12, Terms("SUPPORT")).crm_id)
    yield Stage.INVOICED
    child = _owned(story, contract, parent)
    _plant(story, contract, ERP, str(child.erp_id), {"parent": former.erp_id}, "the ERP has the former parent")


def another_parent_in_billing(story: Story) -> Plot:
    parent, contract = _family(story, 5)
    other = story.world.account_of(story.sell(10, Terms("SUPPORT")).crm_id)
    yield Stage.INVOICED
    child = _owned(story, contract, parent)
    held: dict[str, object] = {"ParentId": other.billing_id}
    _plant(story, contract, BILLING, child.billing_id, held, "billing has a parent that does not pay either")


def _family(story: Story, months: int) -> tuple[Account, Contract]:
    """A parent and what its child bought."""
    parent = story.world.account_of(story.sell(months + 2, Terms("SUPPORT")).crm_id)
    return parent, story.sell(months, Terms("SEAT-STD", story.rng.randint(25, 90)))


def _owned(story: Story, contract: Contract, parent: Account) -> Account:
    child = replace(story.world.account_of(contract.crm_id), parent_id=parent.crm_id)
    story.world.accounts[child.crm_id] = child
    return child


def _plant(story: Story, contract: Contract, system: str, key: str, held: dict[str, object], note: str) -> None:
    story.world.held_otherwise[system, key] = held
    amount = story.drafted(story.charge(contract, "SEAT-STD")).amount
    story.plant(Planted(CHECK, system, "accounts", key, amount, story.currency, note))


TALES = (
    Tale(parent_lost_in_the_erp, "USD"),
    Tale(former_parent_in_the_erp, "EUR"),
    Tale(another_parent_in_billing, "JPY"),
)
