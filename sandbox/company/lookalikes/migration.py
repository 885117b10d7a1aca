"""What was changed on purpose when customers were carried over, and old prices that somebody answers for."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING, OLD_BILLING
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale


def restructured(story: Story) -> Plot:
    """Two lines became one, a little cheaper, and the controller signed it."""
    contract = _carried(story, "SEAT-STD", 30)
    yield Stage.PROVISIONED
    world = story.world
    old = world.legacy_subscriptions[f"LS-{contract.number}"]
    (line,) = world.legacy_lines.where(subscription=old.key)
    less = document(line.price / 10, story.currency)
    line = replace(line, in_crosswalk=True)
    world.legacy_lines[line.key] = replace(line, quantity=line.quantity - 10, price=line.price + less)
    world.legacy_lines[f"{line.key}-2"] = replace(line, key=f"{line.key}-2", quantity=line.quantity - 20)
    delta = -(line.quantity - 10) * less
    world.legacy_subscriptions[old.key] = replace(old, expected_delta=delta, approved_by="maria")
    story.resemble(
        "migration_carryover_defect", OLD_BILLING, "legacy_subscriptions", old.key, "signed, with the expected change"
    )


def locked_by_contract(story: Story) -> Plot:
    contract = _carried(story, "SEAT-PRO", 15)
    yield Stage.PROVISIONED
    _kept(story, contract, "SEAT-PRO", "the contract locks the price until it ends")


def kept_until(story: Story) -> Plot:
    contract = _carried(story, "SEAT-STD", 20, term=None)
    yield Stage.PROVISIONED
    world = story.world
    charge = story.charge(contract, "SEAT-STD")
    world.charges[charge.billing_id] = replace(charge, price_until=add_months(story.today, 4))
    _kept(story, contract, "SEAT-STD", "the old price has an end")


def kept_with_approval(story: Story) -> Plot:
    contract = _carried(story, "SUPPORT", 1, term=None)
    yield Stage.PROVISIONED
    world = story.world
    charge = story.charge(contract, "SUPPORT")
    world.charges[charge.billing_id] = replace(charge, price_approved_by="maria")
    _kept(story, contract, "SUPPORT", "the old price is approved")


def _carried(story: Story, product: str, quantity: int, term: int | None = 24) -> Contract:
    """A contract at 80 % of the list price that was carried over."""
    contract = story.sell(13, Terms(product, quantity, story.off_list(product, Decimal("0.8"))), term=term)
    story.world.carried_over.add(contract.account_id)
    return contract


def _kept(story: Story, contract: Contract, product: str, note: str) -> None:
    (old,) = story.world.legacy_lines.where(subscription=f"LS-{contract.number}")
    story.world.legacy_lines[old.key] = replace(old, grandfathered=True)
    key = story.charge(contract, product).billing_id
    story.resemble("legacy_price_without_expiry", BILLING, "subscription_lines", key, note)


TALES = (
    Tale(restructured, "USD", CLEAN_BATCH),
    Tale(locked_by_contract, "EUR", CLEAN_BATCH),
    Tale(kept_until, "GBP", CLEAN_BATCH),
    Tale(kept_with_approval, "JPY", CLEAN_BATCH),
)
