"""One posting of a month does not do to deferred revenue what its document says."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine, LedgerEntry
from sandbox.company.labels import CRM, Planted
from sandbox.company.ledger import ACCOUNTS, CLEARING, DEFERRED, REVENUE
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "deferred_rollforward_break"


def booked_to_revenue_at_once(story: Story) -> Plot:
    contract = story.sell(8, Terms("PLATFORM-ENT", months=12))
    yield Stage.BOOKED
    line = story.posted(story.charge(contract, "PLATFORM-ENT"))[0]
    entry = _deferral(story, line)
    _move(story, entry, REVENUE)
    _plant(story, entry, "an invoice of a year, booked to revenue at once")


def recognised_out_of_another_account(story: Story) -> Plot:
    """The journal of a month takes nothing out of deferred revenue."""
    contract = story.sell(7, Terms("SEAT-PRO", story.rng.randint(30, 90), months=6))
    yield Stage.BOOKED
    line = story.posted(story.charge(contract, "SEAT-PRO"))[0]
    journals = [entry for entry in _entries(story, line) if (entry.kind, entry.origin) == (DEFERRED, "recognition")]
    entry = sorted(journals, key=lambda each: each.posted)[1]
    _move(story, entry, CLEARING)
    _plant(story, entry, "recognised out of a clearing account")


def not_in_the_ledger(story: Story) -> Plot:
    contract = story.sell(6, Terms("SUPPORT", 3, months=3))
    yield Stage.BOOKED
    line = story.posted(story.charge(contract, "SUPPORT"))[1]
    entry = _deferral(story, line)
    for each in story.world.ledger.where(document_id=entry.document_id):
        del story.world.ledger[each.entry_id]
    _plant(story, entry, "an invoice that the ledger does not have")


def deferred_twice(story: Story) -> Plot:
    contract = story.sell(5, Terms("PLATFORM", 2))
    yield Stage.BOOKED
    entry = _deferral(story, story.posted(story.charge(contract, "PLATFORM"))[1])
    again = replace(entry, entry_id=f"{entry.entry_id}-2")
    back = replace(again, entry_id=f"{entry.entry_id}-3", amount=-entry.amount, kind=CLEARING)
    for each in (again, replace(back, ledger_account=ACCOUNTS[CLEARING])):
        story.world.ledger[each.entry_id] = each
    _plant(story, entry, "deferred twice")


def _entries(story: Story, line: InvoiceLine) -> list[LedgerEntry]:
    account = story.world.invoices[line.invoice_id].account_id
    return story.world.ledger.where(account_id=account)


def _deferral(story: Story, line: InvoiceLine) -> LedgerEntry:
    document = str(story.world.in_erp(line.invoice_id).erp_id)
    return next(entry for entry in story.world.ledger.where(document_id=document) if entry.kind == DEFERRED)


def _move(story: Story, entry: LedgerEntry, kind: str) -> None:
    """As if it had been posted to another account."""
    story.world.ledger[entry.entry_id] = replace(entry, kind=kind, ledger_account=ACCOUNTS[kind])


def _plant(story: Story, entry: LedgerEntry, note: str) -> None:
    month = entry.posted.replace(day=1)
    amount = Decimal(abs(entry.amount))
    story.plant(Planted(CHECK, CRM, "accounts", entry.account_id, amount, story.currency, note, month))


TALES = (
    Tale(booked_to_revenue_at_once, "USD"),
    Tale(recognised_out_of_another_account, "EUR"),
    Tale(not_in_the_ledger, "GBP"),
    Tale(deferred_twice, "JPY"),
)
