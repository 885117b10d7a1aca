"""A line is billed at another price or quantity than the contract says."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.manual import retype
from sandbox.company.model import ARREARS
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "contract_terms_vs_billing"


def price_too_high(story: Story) -> Plot:
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(80, 200)), Terms("PLATFORM"))
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-STD"))
    _change(story, line, line.quantity, document(line.price * Decimal("1.12"), story.currency), "price too high")


def price_too_low(story: Story) -> Plot:
    """A quarterly draft at last year's price."""
    contract = story.sell(9, Terms("PLATFORM-ENT", 2, months=3))
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "PLATFORM-ENT"))
    _change(story, line, line.quantity, document(line.price * Decimal("0.95"), story.currency), "price too low")


def quantity_too_high(story: Story) -> Plot:
    contract = story.sell(12, Terms("SEAT-PRO", story.rng.randint(60, 90), months=12))
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-PRO"))
    _change(story, line, line.quantity + story.rng.randint(5, 12), line.price, "quantity too high, annual")


def quantity_too_low(story: Story) -> Plot:
    contract = story.sell(7, Terms("SEAT-VIEW", story.rng.randint(300, 600), timing=ARREARS))
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-VIEW"))
    _change(story, line, line.quantity - story.rng.randint(20, 60), line.price, "quantity too low, in arrears")


def posted_at_a_wrong_price(story: Story) -> Plot:
    contract = story.sell(7, Terms("SUPPORT", 4), bill_day=15)
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "SUPPORT"))[-2]
    price = document(line.price * Decimal("1.03"), story.currency)
    _change(story, line, line.quantity, price, "price too high, posted two months ago")


def set_up_at_list_price(story: Story) -> Plot:
    """Billing got the list price from the start; the first invoice is a draft."""
    agreed = document(Decimal(59), story.currency)
    contract = story.sell(0, Terms("SEAT-PRO", story.rng.randint(25, 60), agreed))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "SEAT-PRO")
    line = story.line(contract, "SEAT-PRO")
    story.world.charges[charge.billing_id] = replace(charge, price=line.list_price)
    yield Stage.INVOICED
    billed = story.drafted(charge)
    agreed_amount = document(line.quantity * agreed, story.currency)
    note = f"billing has the list price {line.list_price}, the contract {agreed}"
    sums_differ = Consequence("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id)
    dropped = Consequence("field_dropped_in_handoff", CRM, "contract_lines", line.crm_id)
    _plant(story, billed, abs(agreed_amount - billed.amount), note, (sums_differ, dropped))


def _change(story: Story, line: InvoiceLine, quantity: Decimal, price: Decimal, note: str) -> None:
    changed = retype(story.world, line, quantity, price)
    said = f"{note}: {quantity} × {price} instead of {line.quantity} × {line.price}"
    _plant(story, changed, abs(line.amount - changed.amount), said, ())


def _plant(story: Story, line: InvoiceLine, amount: Decimal, note: str, also: tuple[Consequence, ...]) -> None:
    story.plant(
        Planted(CHECK, BILLING, "invoice_lines", line.billing_id, amount, story.currency, note, line.start, also)
    )


TALES = (
    Tale(price_too_high, "USD"),
    Tale(price_too_low, "EUR"),
    Tale(quantity_too_high, "GBP"),
    Tale(quantity_too_low, "JPY"),
    Tale(posted_at_a_wrong_price, "GBP"),
    Tale(set_up_at_list_price, "USD"),
)
