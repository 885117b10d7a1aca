"""Payments that failed or lie about, and are in good hands."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.company.billing import chase, pay, refuse
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.defects.cash.payment_failure_no_dunning import unpaid
from sandbox.company.labels import BILLING
from sandbox.company.stories import Plot, Stage, Story, Tale

FAILED, UNAPPLIED = "payment_failure_no_dunning", "cash_unapplied"


def reminded_in_time(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-STD", story.rng.randint(20, 60)))
    yield Stage.COPIED
    invoice = unpaid(story, contract.crm_id)
    due = story.world.total_of(invoice.billing_id)
    tried = refuse(story.world, invoice, due, story.today - timedelta(days=9))
    chase(story.world, tried, "reminder", 1)
    chase(story.world, tried, "call", 5)
    story.resemble(FAILED, BILLING, "payments", tried.billing_id, "collections wrote the next day")


def debit_with_the_bank(story: Story) -> Plot:
    """The provider submits it again by itself."""
    contract = story.sell(6, Terms("PLATFORM"))
    yield Stage.COPIED
    invoice = unpaid(story, contract.crm_id)
    due = story.world.total_of(invoice.billing_id)
    day = story.today - timedelta(days=8)
    tried = refuse(story.world, invoice, due, day, provider_state="MarkedForSubmission", method="ACH")
    story.resemble(FAILED, BILLING, "payments", tried.billing_id, "the provider tries again by itself")


def failed_yesterday(story: Story) -> Plot:
    contract = story.sell(5, Terms("SUPPORT", 2))
    yield Stage.COPIED
    invoice = unpaid(story, contract.crm_id)
    due = story.world.total_of(invoice.billing_id)
    tried = refuse(story.world, invoice, due, story.today - timedelta(days=1))
    story.resemble(FAILED, BILLING, "payments", tried.billing_id, "there is time to act")


def paid_by_transfer_instead(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-PRO", story.rng.randint(5, 25)))
    yield Stage.COPIED
    invoice = unpaid(story, contract.crm_id)
    due = story.world.total_of(invoice.billing_id)
    tried = refuse(story.world, invoice, due, story.today - timedelta(days=12))
    pay(story.world, invoice, due, story.today - timedelta(days=6))
    story.resemble(FAILED, BILLING, "payments", tried.billing_id, "paid since")


def remittance_to_come(story: Story) -> Plot:
    """Money of last week that names no invoice yet; the invoices themselves are paid."""
    contract = story.sell(6, Terms("SEAT-STD", story.rng.randint(20, 60)))
    yield Stage.COPIED
    line = story.posted(story.charge(contract, "SEAT-STD"))[0]
    invoice = story.world.invoices[line.invoice_id]
    receipt = pay(story.world, invoice, line.amount, story.today - timedelta(days=6), applied=Decimal(0))
    story.world.payments[receipt.billing_id] = replace(receipt, invoice_id=None)
    story.resemble(UNAPPLIED, BILLING, "payments", receipt.billing_id, "the remittance may still come")


def paid_back(story: Story) -> Plot:
    contract = story.sell(8, Terms("SUPPORT", 3))
    yield Stage.COPIED
    line = story.posted(story.charge(contract, "SUPPORT"))[1]
    invoice = story.world.invoices[line.invoice_id]
    day = story.today - timedelta(days=90)
    receipt = pay(story.world, invoice, line.amount, day, applied=Decimal(0), refunded=line.amount)
    story.world.payments[receipt.billing_id] = replace(receipt, invoice_id=None)
    story.resemble(UNAPPLIED, BILLING, "payments", receipt.billing_id, "paid twice and paid back")


TALES = (
    Tale(reminded_in_time, "USD", CLEAN_BATCH),
    Tale(debit_with_the_bank, "EUR", CLEAN_BATCH),
    Tale(failed_yesterday, "GBP", CLEAN_BATCH),
    Tale(paid_by_transfer_instead, "JPY", CLEAN_BATCH),
    Tale(remittance_to_come, "USD", CLEAN_BATCH),
    Tale(paid_back, "EUR", CLEAN_BATCH),
)
