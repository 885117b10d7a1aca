"""Customers whose copies are spelled otherwise, who pay for others, and who ask for no order number."""

from dataclasses import replace
from datetime import timedelta

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING, ERP
from sandbox.company.stories import Plot, Stage, Story, Tale


def spelled_otherwise(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-STD", 25))
    yield Stage.INVOICED
    account = story.world.account_of(contract.crm_id)
    story.world.held_otherwise[BILLING, account.billing_id] = {
        "PaymentTerm": f"{account.terms_days} Days",
        "LegalEntity__c": f" {account.legal_entity.upper()}.",
    }
    story.resemble("master_data_drift", BILLING, "accounts", account.billing_id, "the same in other words")


def one_invoice_later(story: Story) -> Plot:
    """Ten days more were granted for one invoice."""
    contract = story.sell(4, Terms("SEAT-PRO", 12))
    yield Stage.INVOICED
    account = story.world.account_of(contract.crm_id)
    last = story.world.invoices[story.posted(story.charge(contract, "SEAT-PRO"))[-1].invoice_id]
    story.world.invoices[last.billing_id] = replace(last, due=last.due + timedelta(days=10))
    story.resemble("master_data_drift", BILLING, "accounts", account.billing_id, "a due date for one invoice only")


def paid_by_a_sister(story: Story) -> Plot:
    """The holding owns the customer, a shared service centre pays for it."""
    holding, centre = (story.world.account_of(story.sell(9, Terms("SUPPORT")).crm_id) for _ in range(2))
    contract = story.sell(7, Terms("SEAT-VIEW", 60))
    yield Stage.INVOICED
    account = story.world.account_of(contract.crm_id)
    account = replace(account, parent_id=holding.crm_id, payer_id=centre.crm_id)
    story.world.accounts[account.crm_id] = account
    note = "the parent in billing is who pays, not who owns"
    story.resemble("customer_hierarchy_drift", BILLING, "accounts", account.billing_id, note)
    story.resemble("customer_hierarchy_drift", ERP, "accounts", str(account.erp_id), note)


def without_an_order_number(story: Story) -> Plot:
    contract = story.sell(3, Terms("PLATFORM"))
    story.world.contracts[contract.crm_id] = replace(contract, po_required=False, po_number=None)
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "PLATFORM")).invoice_id
    story.resemble("bill_to_incomplete", BILLING, "invoices", draft, "the contract asks for no purchase order")


TALES = (
    Tale(spelled_otherwise, "USD", CLEAN_BATCH),
    Tale(one_invoice_later, "GBP", CLEAN_BATCH),
    Tale(paid_by_a_sister, "EUR", CLEAN_BATCH),
    Tale(without_an_order_number, "JPY", CLEAN_BATCH),
)
