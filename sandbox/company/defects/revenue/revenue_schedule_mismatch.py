"""The plan of an invoice line spreads another amount than was allocated, or spreads it over other days."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine, RevenueElement
from sandbox.company.labels import ERP, Planted
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "revenue_schedule_mismatch"


def planned_too_low(story: Story) -> Plot:
    """The plan was made before the line was changed."""
    line, element = yield from _planned(story, 7, Terms("SEAT-STD", story.rng.randint(40, 120)))
    short = document(line.amount / 8, story.currency)
    _change(story, line, replace(element, planned=element.amount - short), short, "planned an eighth too low")


def planned_too_high(story: Story) -> Plot:
    line, element = yield from _planned(story, 9, Terms("PLATFORM", 2, months=3))
    over = document(line.amount / 5, story.currency)
    _change(story, line, replace(element, planned=element.amount + over), over, "planned a fifth too high")


def a_month_too_late(story: Story) -> Plot:
    """The dates of acceptance were taken where those of the service count."""
    line, element = yield from _planned(story, 6, Terms("PLATFORM-ENT", months=12))
    start, end = add_months(element.start, 1), add_months(element.end, 1)
    outside = Fraction((end - element.end).days, (end - start).days)
    missing = Fraction((start - element.start).days, (element.end - element.start).days)
    amount = document(Fraction(line.amount) * max(outside, missing), story.currency)
    _change(story, line, replace(element, start=start, end=end), amount, "from a month after the service on")


def recognised_too_fast(story: Story) -> Plot:
    line, element = yield from _planned(story, 5, Terms("SUPPORT", 4, months=12))
    left_out = 61
    end = element.end - timedelta(days=left_out)
    amount = document(Fraction(line.amount) * Fraction(left_out, (element.end - element.start).days), story.currency)
    _change(story, line, replace(element, end=end), amount, "two months too short")


def _planned(story: Story, months_ago: int, terms: Terms) -> Generator[Stage, None, tuple[InvoiceLine, RevenueElement]]:
    contract = story.sell(months_ago, terms)
    yield Stage.COPIED
    line = story.posted(story.charge(contract, terms.product))[0]
    return line, story.world.revenue[story.world.line_in_erp(line.billing_id).key]


def _change(story: Story, line: InvoiceLine, element: RevenueElement, amount: Decimal, note: str) -> None:
    story.world.revenue[element.line_key] = element
    story.plant(Planted(CHECK, ERP, "invoice_lines", str(element.line_key), amount, story.currency, note, line.start))


TALES = (
    Tale(planned_too_low, "USD"),
    Tale(planned_too_high, "JPY"),
    Tale(a_month_too_late, "EUR"),
    Tale(recognised_too_fast, "GBP"),
)
