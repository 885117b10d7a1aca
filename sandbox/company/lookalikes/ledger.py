"""Postings, schedules and clauses that are right, each in a way that a simple rule would take for a mistake."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.clauses import read
from sandbox.company.crediting import grant
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.documents import PostingApproval
from sandbox.company.labels import BILLING, CRM, ERP, LEDGER
from sandbox.company.ledger import DEFERRED, closed_on, defer_by_hand, revalue
from sandbox.company.model import a_day_before
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale


def late_and_approved(story: Story) -> Plot:
    """The controller let an invoice into a period that was closed."""
    contract = story.sell(7, Terms("SEAT-PRO", story.rng.randint(20, 60)))
    yield Stage.BOOKED
    line = story.posted(story.charge(contract, "SEAT-PRO"))[1]
    entries = story.world.ledger.where(document_id=str(story.world.in_erp(line.invoice_id).erp_id))
    closed = closed_on(story.world, entries[0].posted.replace(day=1))
    assert closed is not None, "a month so long ago is closed"
    at = datetime.combine(closed + timedelta(days=4), time(11), UTC)
    for entry in entries:
        story.world.ledger[entry.entry_id] = replace(entry, written_at=at)
        note = "late, with the controller's approval"
        story.resemble("close_period_misposting", LEDGER, "ledger_entries", entry.entry_id, note)
    number = story.world.ids.erp("posting approval")
    approved = PostingApproval(number, entries[0].document_id, "c.weiss", at - timedelta(hours=2))
    story.world.posting_approvals.append(approved)


def deferred_by_hand(story: Story) -> Plot:
    """A journal puts revenue off for a month, and the next one takes it back."""
    contract = story.sell(8, Terms("PLATFORM", 2))
    yield Stage.BOOKED
    month_end = a_day_before(add_months(story.today.replace(day=1), -3))
    defer_by_hand(story.world, contract.account_id, month_end, local_price(Decimal(700), story.currency))
    note = "a journal by hand is a line of its own"
    story.resemble("deferred_rollforward_break", CRM, "accounts", contract.account_id, note)


def revalued(story: Story) -> Plot:
    """What is deferred in a foreign currency is worth more in dollars than it was."""
    contract = story.sell(9, Terms("PLATFORM-ENT", months=12))
    yield Stage.BOOKED
    month_end = a_day_before(add_months(story.today.replace(day=1), -2))
    revalue(story.world, contract.account_id, DEFERRED, month_end, Decimal("-431.17"))
    note = "revaluation is a line of its own"
    story.resemble("deferred_rollforward_break", CRM, "accounts", contract.account_id, note)


def paid_for_a_year(story: Story) -> Plot:
    """Twelve months of cash, of which a few have been earned."""
    contract = story.sell(7, Terms("PLATFORM-ENT", months=12))
    yield Stage.BOOKED
    note = "prepaid: the rest is deferred"
    story.resemble("recognized_vs_collected_tieout", CRM, "accounts", contract.account_id, note)


def allocated_by_stand_alone_prices(story: Story) -> Plot:
    """The discount of one line is shared with the other: both schedules differ from what was invoiced."""
    contract = story.sell(5, Terms("PLATFORM", months=12), Terms("SUPPORT", 2, months=12))
    yield Stage.COPIED
    lines = [story.posted(story.charge(contract, product))[0] for product in ("PLATFORM", "SUPPORT")]
    shift = document(lines[1].amount / 9, story.currency)
    for line, by in zip(lines, (shift, -shift), strict=True):
        copied = story.world.line_in_erp(line.billing_id)
        element = story.world.revenue[copied.key]
        story.world.revenue[copied.key] = replace(element, amount=element.amount + by)
        note = "spreads what was allocated to it"
        story.resemble("revenue_schedule_mismatch", ERP, "invoice_lines", str(copied.key), note)


def told_or_not_sure(story: Story) -> Plot:
    """One contract carries the flag; of the other, a machine is not sure and nobody has confirmed it."""
    flagged = story.sell(6, Terms("SEAT-STD", 40))
    guessed = story.sell(4, Terms("SUPPORT", 2))
    yield Stage.SIGNED
    read(story.world, flagged, "Acceptance", Decimal("0.97"))
    story.world.contracts[flagged.crm_id] = replace(story.world.contracts[flagged.crm_id], nonstandard_terms=True)
    read(story.world, guessed, "Extended_Terms", Decimal("0.71"))
    story.resemble("nonstandard_terms_unflagged", CRM, "contracts", flagged.crm_id, "the flag is set")
    story.resemble("nonstandard_terms_unflagged", CRM, "contracts", guessed.crm_id, "neither sure nor confirmed")


def tax_alone(story: Story) -> Plot:
    """The customer was exempt: nothing but tax is given back."""
    contract = story.sell(6, Terms("PLATFORM"))
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "PLATFORM"))[2]
    tax = line.tax or local_price(Decimal(80), story.currency)
    memo = grant(story.world, story.world.invoices[line.invoice_id], Decimal(0), "price_correction", tax=tax)
    note = "takes back tax and no revenue"
    check = "credit_memo_without_revenue_treatment"
    story.resemble(check, BILLING, "credit_memos", str(memo.billing_id), note)


TALES = (
    Tale(late_and_approved, "USD", CLEAN_BATCH),
    Tale(deferred_by_hand, "EUR", CLEAN_BATCH),
    Tale(revalued, "GBP", CLEAN_BATCH),
    Tale(paid_for_a_year, "JPY", CLEAN_BATCH),
    Tale(allocated_by_stand_alone_prices, "USD", CLEAN_BATCH),
    Tale(told_or_not_sure, "EUR", CLEAN_BATCH),
    Tale(tax_alone, "GBP", CLEAN_BATCH),
)
