"""A credit is booked to a clearing account, and the revenue stays as it was."""

from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.catalog import OVER_TIME, PRODUCTS
from sandbox.company.crediting import grant
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.recognition import recognised
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "credit_memo_without_revenue_treatment"


def of_a_month(story: Story) -> Plot:
    """The month is over: all of it has been recognised."""
    yield from _untreated(story, 3, -3, Terms("SEAT-STD", story.rng.randint(50, 120)))


def of_a_running_year(story: Story) -> Plot:
    yield from _untreated(story, 5, 0, Terms("PLATFORM", months=12))


def of_a_running_half_year(story: Story) -> Plot:
    yield from _untreated(story, 2, 0, Terms("SEAT-PRO", story.rng.randint(20, 60), months=6))


def with_a_service_that_was_delivered(story: Story) -> Plot:
    """One line is earned over the year, the other was earned at once."""
    yield from _untreated(story, 4, 0, Terms("PLATFORM", months=12), Terms("SETUP"))


def _untreated(story: Story, months_ago: int, place: int, *terms: Terms) -> Plot:
    contract = story.sell(months_ago, *terms)
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, terms[0].product))[place]
    invoice = story.world.invoices[line.invoice_id]
    net = document(line.amount / 10, story.currency)
    memo = grant(story.world, invoice, net, "service_level")
    story.world.untreated_credits.add(memo.number)
    lines = story.world.on_invoice(invoice.billing_id)
    earned = sum((_earned(story, each) for each in lines), Decimal(0))
    whole = sum((each.amount for each in lines), Decimal(0))
    amount = document(Fraction(net) * Fraction(earned) / Fraction(whole), story.currency)
    note = f"{earned} of {whole} recognised"
    story.plant(Planted(CHECK, BILLING, "credit_memos", str(memo.billing_id), amount, story.currency, note))


def _earned(story: Story, line: InvoiceLine) -> Decimal:
    if PRODUCTS[line.product_code].recognition != OVER_TIME:
        return line.amount
    documented = story.world.invoices[line.invoice_id].day
    return recognised(line.amount, line.start, line.end, story.currency, documented, story.today)


TALES = (
    Tale(of_a_month, "USD"),
    Tale(of_a_running_year, "EUR"),
    Tale(of_a_running_half_year, "JPY"),
    Tale(with_a_service_that_was_delivered, "GBP"),
)
