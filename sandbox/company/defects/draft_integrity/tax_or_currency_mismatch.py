"""A draft with tax that is not owed, without tax that is, by another tax code, or in another currency."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.billing import totals
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.render_files import dollars_for
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "tax_or_currency_mismatch"


def exempt_and_taxed(story: Story) -> Plot:
    """The customer's certificate is on file, and was left out for this one line."""
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(20, 80)))
    account = story.world.account_of(contract.crm_id)
    story.world.accounts[account.crm_id] = replace(account, tax_rate=Decimal(0), tax_code="US-NONTAXABLE")
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-STD"))
    tax = document(line.amount * Decimal("0.0825"), story.currency)
    _plant(story, replace(line, tax=tax), tax, "the customer is exempt")


def one_line_untaxed(story: Story) -> Plot:
    contract = story.sell(6, Terms("PLATFORM", 2), Terms("SUPPORT"))
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "PLATFORM"))
    _plant(story, replace(line, tax=Decimal(0)), line.tax, "one of two lines has no tax")


def by_another_code(story: Story) -> Plot:
    contract = story.sell(9, Terms("SEAT-PRO", story.rng.randint(10, 40)))
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-PRO"))
    reduced = document(line.amount * Decimal("0.05"), story.currency)
    _plant(story, replace(line, tax=reduced, tax_code="UK-REDUCED"), line.tax - reduced, "the reduced rate")


def dollars_called_euros(story: Story) -> Plot:
    contract = story.sell(5, Terms("PLATFORM-ENT"))
    yield Stage.INVOICED
    world = story.world
    line = story.drafted(story.charge(contract, "PLATFORM-ENT"))
    invoice = world.invoices[line.invoice_id]
    world.invoices[invoice.billing_id] = replace(invoice, currency="EUR")
    total = sum(totals(world)[invoice.billing_id])
    months = (world.today.year - world.first_day.year) * 12 + world.today.month - world.first_day.month
    amount = document(total * dollars_for("EUR", months), "USD") - total
    also = Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id)
    note = "the draft says euros, and dollars were agreed"
    story.plant(Planted(CHECK, BILLING, "invoices", invoice.billing_id, amount, "USD", note, invoice.day, (also,)))


def _plant(story: Story, line: InvoiceLine, amount: Decimal, note: str) -> None:
    story.world.invoice_lines[line.billing_id] = line
    story.plant(Planted(CHECK, BILLING, "invoice_lines", line.billing_id, amount, story.currency, note, line.start))


TALES = (
    Tale(exempt_and_taxed, "USD"),
    Tale(one_line_untaxed, "EUR"),
    Tale(by_another_code, "GBP"),
    Tale(dollars_called_euros, "USD"),
)
