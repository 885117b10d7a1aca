"""A segment of customers of whom too little was collected."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "realization_rate_low"
_FLOOR = Decimal("0.95")


def one_of_three_stopped_paying(story: Story) -> Plot:
    yield from _unpaid(story, "Public sector", Terms("SEAT-STD", story.rng.randint(60, 120)), 4)


def nobody_paid_the_spring(story: Story) -> Plot:
    yield from _unpaid(story, "Education", Terms("SUPPORT", 3), 5)


def one_stopped_in_autumn(story: Story) -> Plot:
    yield from _unpaid(story, "Non-profit", Terms("PLATFORM", 2), 6)


def three_of_a_segment(story: Story, segment: str, terms: Terms) -> list[Contract]:
    """Contracts of three customers who are a segment of their own."""
    contracts = [story.sell(20, terms, term=36) for _ in range(3)]
    world = story.world
    for contract in contracts:
        account = world.accounts[contract.account_id]
        world.accounts[account.crm_id] = replace(account, segment=f"{segment} {contracts[0].number}")
    return contracts


def _unpaid(story: Story, segment: str, terms: Terms, unpaid: int) -> Plot:
    """One of three customers has not paid some months of the year that counts."""
    contracts = three_of_a_segment(story, segment, terms)
    world = story.world
    yield Stage.COPIED
    first = add_months(story.today.replace(day=1), -15)
    last = add_months(first, 12)
    counted = [
        [line for line in _lines(story, contract, terms) if first <= line.start < last] for contract in contracts
    ]
    for line in counted[0][-unpaid:]:
        world.unpay(line.invoice_id)
    due = sum((line.amount for lines in counted for line in lines), Decimal(0))
    came = sum((line.amount for lines in counted for line in lines if world.settled(line.invoice_id)), Decimal(0))
    gap = document(_FLOOR * due - came, story.currency)
    note = f"{came} of {due} were collected"
    story.plant(Planted(CHECK, CRM, "accounts", contracts[0].account_id, gap, story.currency, note))


def _lines(story: Story, contract: Contract, terms: Terms) -> list[InvoiceLine]:
    return story.posted(story.charge(contract, terms.product))


TALES = (
    Tale(one_of_three_stopped_paying, "USD"),
    Tale(nobody_paid_the_spring, "GBP"),
    Tale(one_stopped_in_autumn, "EUR"),
)
