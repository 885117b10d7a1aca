"""What was due by contract for a product in a month is not what was billed for it."""

from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.manual import retype
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "booked_vs_billed_tieout"


def a_month_was_never_billed(story: Story) -> Plot:
    yield from _unbilled(story, Terms("SEAT-STD", story.rng.randint(60, 140)), 9, 3)


def a_quarter_was_never_billed(story: Story) -> Plot:
    yield from _unbilled(story, Terms("SUPPORT", 4, months=3), 11, 2)


def a_month_was_billed_too_high(story: Story) -> Plot:
    """By seven percent, which is far beyond the tolerance."""
    contract = story.sell(8, Terms("PLATFORM", 3))
    yield Stage.INVOICED
    charge = story.charge(contract, "PLATFORM")
    line = story.posted(charge)[-3]
    price = document(line.price * Decimal("1.07"), story.currency)
    wrong = retype(story.world, line, line.quantity, price)
    also = Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id)
    _plant(story, charge.line_id, line, wrong.amount - line.amount, "billed too high", also)


def _unbilled(story: Story, terms: Terms, months_ago: int, back: int) -> Plot:
    contract = story.sell(months_ago, terms)
    yield Stage.INVOICED
    charge = story.charge(contract, terms.product)
    line = story.posted(charge)[-back]
    story.world.remove_lines([line])
    also = Consequence("missing_expected_invoice", BILLING, "subscription_lines", charge.billing_id, line.start)
    _plant(story, charge.line_id, line, line.amount, "never billed", also)


def _plant(story: Story, key: str, line: InvoiceLine, amount: Decimal, note: str, also: Consequence) -> None:
    story.plant(Planted(CHECK, CRM, "contract_lines", key, amount, story.currency, note, line.start, (also,)))


TALES = (
    Tale(a_month_was_never_billed, "USD"),
    Tale(a_quarter_was_never_billed, "EUR"),
    Tale(a_month_was_billed_too_high, "JPY"),
)
