"""A payment arrived, and the ledger says something else about it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import LedgerEntry
from sandbox.company.labels import CRM, Planted
from sandbox.company.ledger import CASH
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "recognized_vs_collected_tieout"


def never_posted(story: Story) -> Plot:
    contract = story.sell(11, Terms("SEAT-STD", story.rng.randint(40, 110)))
    yield Stage.BOOKED
    entries = _a_payment(story, contract)
    for entry in entries:
        del story.world.ledger[entry.entry_id]
    _plant(story, entries[0], entries[0].amount, "a payment that the ledger does not have")


def posted_net_of_a_fee(story: Story) -> Plot:
    contract = story.sell(10, Terms("PLATFORM-ENT", 2, months=3))
    yield Stage.BOOKED
    entries = _a_payment(story, contract)
    fee = document(entries[0].amount * 29 / 1000, story.currency)
    for entry in entries:
        less = entry.amount - fee if entry.kind == CASH else entry.amount + fee
        story.world.ledger[entry.entry_id] = replace(entry, amount=less)
    _plant(story, entries[0], fee, "posted net of the provider's fee")


def posted_twice(story: Story) -> Plot:
    contract = story.sell(9, Terms("PLATFORM", 2))
    yield Stage.BOOKED
    entries = _a_payment(story, contract)
    for entry in entries:
        again = replace(entry, entry_id=f"{entry.entry_id}-2")
        story.world.ledger[again.entry_id] = again
    _plant(story, entries[0], entries[0].amount, "a payment that was posted twice")


def _a_payment(story: Story, contract: Contract) -> list[LedgerEntry]:
    """The two sides of the account's first payment, cash first; it lies in a quarter that is over."""
    entries = [entry for entry in story.world.ledger.where(account_id=contract.account_id) if entry.origin == "payment"]
    first = min(entries, key=lambda entry: (entry.posted, entry.entry_id)).document_id
    return sorted((entry for entry in entries if entry.document_id == first), key=lambda entry: entry.kind != CASH)


def _plant(story: Story, entry: LedgerEntry, amount: Decimal, note: str) -> None:
    day = entry.posted
    quarter = add_months(date(day.year, 1, 1), (day.month - 1) // 3 * 3)
    story.plant(Planted(CHECK, CRM, "accounts", entry.account_id, amount, story.currency, note, quarter))


TALES = (Tale(never_posted, "USD"), Tale(posted_net_of_a_fee, "EUR"), Tale(posted_twice, "JPY"))
