"""The amendment took effect everywhere, but its quote names no contract, a stranger's or a replaced one."""

from dataclasses import replace

from sandbox.company.amending import change
from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import SUPERSEDED, Change
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "broken_amendment_link"


def no_contract(story: Story) -> Plot:
    contract = story.sell(10, Terms("SEAT-STD", story.rng.randint(40, 120)))
    made = change(story.deals, story.line(contract, "SEAT-STD"), story.rng.randint(5, 20), story.months_ago(3))
    yield Stage.INVOICED
    _relink(story, made, None, "the contract is empty")


def contract_of_another_account(story: Story) -> Plot:
    contract = story.sell(13, Terms("SEAT-PRO", story.rng.randint(30, 60), months=3))
    stranger = story.sell(13, Terms("PLATFORM", months=3))
    made = change(story.deals, story.line(contract, "SEAT-PRO"), story.rng.randint(5, 20), story.months_ago(4))
    yield Stage.INVOICED
    _relink(story, made, stranger.crm_id, "the contract belongs to another account")


def replaced_contract(story: Story) -> Plot:
    old = story.sell(18, Terms("SUPPORT", 2), term=12)
    story.world.contracts[old.crm_id] = replace(old, status=SUPERSEDED)
    account = story.world.accounts[old.account_id]
    terms = Terms("SEAT-STD", story.rng.randint(60, 90))
    new = story.deals.sell(account, story.months_ago(6), 24, [terms], renews=old, kind="Renewal")
    made = change(story.deals, story.line(new, "SEAT-STD"), story.rng.randint(5, 20), story.months_ago(2))
    yield Stage.INVOICED
    _relink(story, made, old.crm_id, "the contract was superseded four months before")


def _relink(story: Story, made: Change, contract_id: str | None, note: str) -> None:
    quote = story.world.quotes[made.amendment_id]
    story.world.quotes[quote.crm_id] = replace(quote, contract_id=contract_id)
    story.plant(Planted(CHECK, CRM, "amendments", quote.crm_id, None, story.currency, note))


TALES = (Tale(no_contract, "USD"), Tale(contract_of_another_account, "EUR"), Tale(replaced_contract, "JPY"))
