"""A posting stands in a period in which it does not belong."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox.company.deals import Terms
from sandbox.company.documents import LedgerEntry
from sandbox.company.labels import LEDGER, Planted
from sandbox.company.ledger import closed_on, period_key
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "close_period_misposting"


def in_the_month_before(story: Story) -> Plot:
    """The invoice's entries carry the period that was open when the import began."""
    contract = story.sell(6, Terms("SEAT-STD", story.rng.randint(40, 100)), bill_day=5)
    yield Stage.BOOKED
    entries = _invoice(story, contract, "SEAT-STD", -3)
    before = add_months(entries[0].posted, -1)
    _replace(story, entries, period=period_key(story.world, before))
    _plant(story, entries, before.replace(day=1), "dated in one month, posted in the month before")


def after_the_close(story: Story) -> Plot:
    contract = story.sell(9, Terms("PLATFORM", 2, months=3))
    yield Stage.BOOKED
    entries = _invoice(story, contract, "PLATFORM", 0)
    month = entries[0].posted.replace(day=1)
    closed = closed_on(story.world, month)
    assert closed is not None, "a month so long ago is closed"
    _replace(story, entries, written_at=datetime.combine(closed + timedelta(days=12), time(16), UTC))
    _plant(story, entries, month, "written twelve days after the period was closed")


def recognised_before_the_service(story: Story) -> Plot:
    """The share of a month is recognised in the month before."""
    contract = story.sell(8, Terms("PLATFORM-ENT", months=12))
    yield Stage.BOOKED
    journals = [
        entry
        for entry in story.world.ledger.where(account_id=contract.account_id)
        if entry.origin == "recognition" and entry.service == add_months(contract.start, 3)
    ]
    day = add_months(contract.start, 3) - timedelta(days=1)
    at = datetime.combine(day, time(22), UTC)
    _replace(story, journals, posted=day, period=period_key(story.world, day), written_at=at)
    _plant(story, journals, day.replace(day=1), "recognised in the month before the service")


def _invoice(story: Story, contract: Contract, product: str, place: int) -> list[LedgerEntry]:
    line = story.posted(story.charge(contract, product))[place]
    document = str(story.world.in_erp(line.invoice_id).erp_id)
    return story.world.ledger.where(document_id=document)


def _replace(story: Story, entries: Iterable[LedgerEntry], **changed: Any) -> None:
    for entry in entries:
        story.world.ledger[entry.entry_id] = replace(entry, **changed)


def _plant(story: Story, entries: list[LedgerEntry], month: date, note: str) -> None:
    first = min(entries, key=lambda entry: entry.entry_id)
    amount = sum((entry.amount for entry in entries if entry.amount > 0), Decimal(0))
    story.plant(Planted(CHECK, LEDGER, "ledger_entries", first.entry_id, amount, story.currency, note, month))


TALES = (
    Tale(in_the_month_before, "USD"),
    Tale(after_the_close, "JPY"),
    Tale(recognised_before_the_service, "EUR"),
)
