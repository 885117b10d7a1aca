"""A window ended below its commitment, and the true-up was not made."""

from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import Commit
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "commit_shortfall_unbilled"


def quarter(story: Story) -> Plot:
    """The last of two quarters; the first one was trued up."""
    yield from _forgotten(story, 6, "MESSAGE", Commit(Decimal(9_000), 3), 1)


def month(story: Story) -> Plot:
    yield from _forgotten(story, 3, "API-CALL", Commit(local_price(Decimal(4_000), story.currency), 1), 2)


def whole_term(story: Story) -> Plot:
    """The contract has ended; its commitment held for all of it."""
    commit = Commit(local_price(Decimal(30_000), story.currency), None)
    yield from _forgotten(story, 14, "LOOKUP", commit, 0, term=12)


def _forgotten(story: Story, months: int, product: str, commit: Commit, place: int, term: int = 24) -> Plot:
    contract = story.sell(months, Terms("PLATFORM"), Terms(product, commit=commit), term=term)
    yield Stage.PROVISIONED
    charge = story.charge(contract, product)
    story.weekly(charge, charge.end)
    yield Stage.INVOICED
    true_ups = story.world.billed(story.world.true_up_of(charge.line_id).billing_id)
    missing = true_ups[place]
    story.world.remove_lines([missing])
    note = f"the window up to {missing.end} was not trued up"
    amount, day = missing.amount, missing.start
    story.plant(Planted(CHECK, CRM, "contract_lines", charge.line_id, amount, story.currency, note, day))


TALES = (Tale(quarter, "USD"), Tale(month, "JPY"), Tale(whole_term, "EUR"))
