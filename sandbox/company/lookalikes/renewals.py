"""Terms that ended without a renewal, and renewals that do not follow day on day, all as agreed."""

from dataclasses import replace

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import CRM
from sandbox.company.model import ACTIVATED, Contract
from sandbox.company.stories import Plot, Stage, Story, Tale


def holds_over(story: Story) -> Plot:
    """By a clause, the terms go on until somebody signs; billing goes on as well."""
    contract = _goes_on(story, story.sell(14, story.seats(70), term=12), holds_over=True)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {2: 66, 1: 61})
    yield Stage.INVOICED
    _ended(story, contract, "holds over until somebody signs")


def renews_itself(story: Story) -> Plot:
    """For another year each time, with nothing new to sign."""
    contract = _goes_on(story, story.sell(15, story.seats(40), term=12), auto_renews=True)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {2: 39, 1: 38})
    yield Stage.INVOICED
    _ended(story, contract, "renews by itself")


def customer_is_leaving(story: Story) -> Plot:
    """Notice is given, and the last users move their data."""
    contract = story.sell(13, story.seats(55), term=12)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {1: 9})
    yield Stage.INVOICED
    story.deals.renewal(contract, "Notice Given")
    _ended(story, contract, "notice given, the seats are wound down")


def customer_has_left(story: Story) -> Plot:
    """The renewal is lost; one user looks something up."""
    contract = story.sell(15, story.seats(35), term=12)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {3: 2, 2: 1, 1: 0})
    yield Stage.INVOICED
    story.deals.renewal(contract, "Closed Lost", closed=True)
    _ended(story, contract, "the renewal is lost")


def nobody_uses_it(story: Story) -> Plot:
    contract = story.sell(14, story.seats(30), term=12)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {2: 0, 1: 0})
    yield Stage.INVOICED
    _ended(story, contract, "ended, and not in use")


def bought_again(story: Story) -> Plot:
    """The customer left and came back three months later: new business, and sold by the renewals desk."""
    old = story.sell(20, Terms("SEAT-STD", 25), term=12)
    account = story.world.accounts[old.account_id]
    new = story.deals.sell(account, story.months_ago(5), 12, [Terms("SEAT-STD", 40)], kind="Renewal")
    yield Stage.INVOICED
    story.resemble("renewal_chain_broken", CRM, "contracts", new.crm_id, "bought again three months later")


def bought_something_else(story: Story) -> Plot:
    """What ended was not renewed; another product was bought a week later."""
    old = story.sell(15, Terms("SEAT-STD", 25), term=12)
    account = story.world.accounts[old.account_id]
    new = story.deals.sell(account, story.months_ago(3), 12, [Terms("PLATFORM")])
    yield Stage.INVOICED
    story.resemble("renewal_chain_broken", CRM, "contracts", new.crm_id, "new business of another product")


def signed_late(story: Story) -> Plot:
    """Two months after the end, which the clause bridges."""
    old = _goes_on(story, story.sell(17, Terms("SUPPORT", 3), term=12), holds_over=True)
    account = story.world.accounts[old.account_id]
    new = story.deals.sell(account, story.months_ago(3), 12, [Terms("SUPPORT", 3)], renews=old, kind="Renewal")
    yield Stage.INVOICED
    story.resemble("renewal_chain_broken", CRM, "contracts", new.crm_id, "the old contract held over until it began")
    _ended(story, old, "held over, then renewed")


def _goes_on(story: Story, contract: Contract, *, holds_over: bool = False, auto_renews: bool = False) -> Contract:
    kept = replace(contract, status=ACTIVATED, holds_over=holds_over, auto_renews=auto_renews)
    story.world.contracts[contract.crm_id] = kept
    return kept


def _ended(story: Story, contract: Contract, note: str) -> None:
    for line in story.world.lines_of(contract.crm_id):
        story.resemble("missed_renewal", CRM, "contract_lines", line.crm_id, note)


TALES = (
    Tale(holds_over, "USD", CLEAN_BATCH),
    Tale(customer_is_leaving, "EUR", CLEAN_BATCH),
    Tale(bought_again, "USD", CLEAN_BATCH),
    Tale(renews_itself, "GBP", CLEAN_BATCH),
    Tale(signed_late, "EUR", CLEAN_BATCH),
    Tale(customer_has_left, "JPY", CLEAN_BATCH),
    Tale(nobody_uses_it, "USD", CLEAN_BATCH),
    Tale(bought_something_else, "GBP", CLEAN_BATCH),
)
