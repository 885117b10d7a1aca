"""A renewal that names nothing, or that does not begin where the contract before it ended."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import ACTIVATED, ARREARS, EXPIRED, Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "renewal_chain_broken"


def names_no_contract(story: Story) -> Plot:
    """Opened by hand; the days fit."""
    old, new = _renewed(story, 17, Terms("SEAT-STD", story.rng.randint(30, 90)))
    yield Stage.INVOICED
    _unlink(story, new)
    _plant(story, old, new, "names no contract; nothing between them")


def month_between(story: Story) -> Plot:
    """The old contract was cut by a month, and the renewal was not moved."""
    old, new = _renewed(story, 18, Terms("PLATFORM", timing=ARREARS), Terms("SUPPORT", 2))
    yield Stage.SIGNED
    old = _end(story, old, add_months(new.start, -1))
    yield Stage.INVOICED
    _plant(story, old, new, "a month between them")


def both_run(story: Story) -> Plot:
    """Renewed early, and the old contract was left to run for two months more."""
    old, new = _renewed(story, 19, Terms("SEAT-PRO", story.rng.randint(20, 50)))
    yield Stage.SIGNED
    old = _end(story, old, add_months(new.start, 2))
    yield Stage.INVOICED
    _plant(story, old, new, "two months of both")


def neither_linked_nor_in_time(story: Story) -> Plot:
    old, new = _renewed(story, 20, Terms("SEAT-VIEW", story.rng.randint(100, 300)))
    yield Stage.SIGNED
    old = _end(story, old, add_months(new.start, -1))
    _unlink(story, new)
    yield Stage.INVOICED
    _plant(story, old, new, "names no contract, a month after the one before")


def _renewed(story: Story, months_ago: int, *terms: Terms) -> tuple[Contract, Contract]:
    """A year, and the renewal that follows it."""
    old = story.sell(months_ago, *terms, term=12)
    account = story.world.accounts[old.account_id]
    new = story.deals.sell(account, story.months_ago(months_ago - 12), 24, terms, renews=old, kind="Renewal")
    return old, new


def _end(story: Story, contract: Contract, day: date) -> Contract:
    """Another end for a contract that billing does not know yet."""
    status = EXPIRED if day <= story.today else ACTIVATED
    ended = replace(story.world.contracts[contract.crm_id], end=day, status=status)
    story.world.contracts[contract.crm_id] = ended
    for line in story.world.lines_of(contract.crm_id):
        story.world.lines[line.crm_id] = replace(line, end=day)
    return ended


def _unlink(story: Story, renewal: Contract) -> None:
    story.world.contracts[renewal.crm_id] = replace(story.world.contracts[renewal.crm_id], renews=None)
    deal = story.world.opportunities[renewal.opportunity_id]
    story.world.opportunities[deal.crm_id] = replace(deal, renews=None)


def _plant(story: Story, old: Contract, new: Contract, note: str) -> None:
    assert old.end is not None, "only a term that ends is renewed"
    days = abs((new.start - old.end).days)
    yearly = sum(Fraction(line.quantity * line.price * 12) for line in story.world.lines_of(old.crm_id))
    amount = document(yearly * Fraction(days, 365), story.currency)
    story.plant(Planted(CHECK, CRM, "contracts", new.crm_id, amount or None, story.currency, note))


TALES = (
    Tale(month_between, "USD"),
    Tale(names_no_contract, "EUR"),
    Tale(both_run, "GBP"),
    Tale(neither_linked_nor_in_time, "JPY"),
)
