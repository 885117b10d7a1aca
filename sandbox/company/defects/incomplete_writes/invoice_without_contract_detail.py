"""An invoice line that cannot be defended: no contract behind it, no tax code, or no purchase order."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.billing import new_invoice
from sandbox.company.deals import Terms
from sandbox.company.documents import CHARGE, InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.manual import enter
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "invoice_without_contract_detail"


def typed_into_a_draft(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-STD", story.rng.randint(30, 90)))
    yield Stage.INVOICED
    invoice_id = story.drafted(story.charge(contract, "SEAT-STD")).invoice_id
    price = document(Decimal(story.rng.randint(900, 2_400)), story.currency)
    line = enter(story.world, invoice_id, "TRAINING", CHARGE, Decimal(2), price)
    _plant(story, line, "entered by hand on a draft, no subscription behind it")


def made_by_hand(story: Story) -> Plot:
    """A whole invoice outside every run and contract, posted."""
    contract = story.sell(7, Terms("PLATFORM", months=3), bill_day=10)
    yield Stage.INVOICED
    world = story.world
    last = world.invoices[story.posted(story.charge(contract, "PLATFORM"))[-1].invoice_id]
    invoice = new_invoice(world, world.runs[last.run_id or ""], contract.crm_id)
    world.invoices[invoice.billing_id] = replace(invoice, contract_id=None, run_id=None, po_number=None)
    price = document(Decimal(story.rng.randint(300, 700)), story.currency)
    line = enter(world, invoice.billing_id, "SETUP", CHARGE, Decimal(1), price)
    _plant(story, line, "an invoice made by hand that names no contract")


def without_tax_code(story: Story) -> Plot:
    contract = story.sell(5, Terms("SEAT-VIEW", story.rng.randint(100, 400)), Terms("SUPPORT"))
    yield Stage.INVOICED
    line = replace(story.drafted(story.charge(contract, "SUPPORT")), tax_code=None)
    story.world.invoice_lines[line.billing_id] = line
    _plant(story, line, "taxed without a tax code")


def without_purchase_order(story: Story) -> Plot:
    account = story.account()
    terms = Terms("PLATFORM", 2)
    contract = story.deals.sell(account, story.months_ago(4), 12, [terms], po_required=True)
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "PLATFORM"))
    invoice = story.world.invoices[line.invoice_id]
    story.world.invoices[invoice.billing_id] = replace(invoice, po_number=None)
    _plant(story, line, "the contract demands a purchase order, the draft names none")


def _plant(story: Story, line: InvoiceLine, note: str) -> None:
    story.plant(
        Planted(CHECK, BILLING, "invoice_lines", line.billing_id, line.amount, story.currency, note, line.start)
    )


TALES = (
    Tale(typed_into_a_draft, "USD"),
    Tale(made_by_hand, "EUR"),
    Tale(without_tax_code, "GBP"),
    Tale(without_purchase_order, "JPY"),
)
