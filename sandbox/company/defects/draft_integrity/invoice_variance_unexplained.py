"""A draft that has moved since the period before, on a line of which billing alone knows what was agreed or done."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.manual import bill_slips, retype
from sandbox.company.model import ARREARS, Contract
from sandbox.company.provisioning import split_segment
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "invoice_variance_unexplained"


def twice_the_seats(story: Story) -> Plot:
    yield from _retyped(story, Terms("SEAT-VIEW", story.rng.randint(60, 140)), 6, Decimal(2))


def half_the_platforms(story: Story) -> Plot:
    yield from _retyped(story, Terms("PLATFORM", 4, months=3, timing=ARREARS), 12, Decimal("0.5"))


def a_tenth_more_a_year(story: Story) -> Plot:
    yield from _retyped(story, Terms("SUITE", 100, months=12), 12, Decimal("1.1"))


def more_than_was_entered(story: Story) -> Plot:
    """Ten more were entered as of today, which explains ten; the draft bills thirty more."""
    contract = _by_letter(story, Terms("SEAT-PRO", 40), 8)
    yield Stage.SIGNED
    _keep_from_crm(story, contract, "SEAT-PRO")
    yield Stage.PROVISIONED
    charge = story.charge(contract, "SEAT-PRO")
    split_segment(story.world, contract.crm_id, charge, story.today, Decimal(50))
    yield Stage.INVOICED
    line = retype(story.world, story.drafted(charge), Decimal(70), charge.price)
    _plant(story, line, 20 * charge.price, "thirty seats more, of which ten were entered")


def hours_of_a_busy_month(story: Story) -> Plot:
    """Nobody keeps the hours in a system; this month there are three times as many."""
    contract = story.sell(5, Terms("PLATFORM"), Terms("CONSULTING"))
    yield Stage.PROVISIONED
    story.world.told_work.add(story.line(contract, "CONSULTING").crm_id)
    yield Stage.INVOICED
    charge = story.charge(contract, "CONSULTING")
    line = bill_slips(story.world, charge, [20, 24, 18, 16, 48])
    _plant(story, line, 32 * charge.price, "48 hours after 16, by slips of paper")


def _retyped(story: Story, terms: Terms, months_ago: int, factor: Decimal) -> Plot:
    """The quantity of the draft is typed over."""
    contract = _by_letter(story, terms, months_ago)
    yield Stage.SIGNED
    _keep_from_crm(story, contract, terms.product)
    yield Stage.INVOICED
    before = story.drafted(story.charge(contract, terms.product))
    line = retype(story.world, before, before.quantity * factor, before.price)
    _plant(story, line, line.amount - before.amount, f"{line.quantity} typed over {before.quantity}")


def _by_letter(story: Story, terms: Terms, months_ago: int) -> Contract:
    """Seats, and beside them something at its list price."""
    listed = replace(terms, price=story.off_list(terms.product, Decimal(1)))
    return story.sell(months_ago, Terms("SEAT-STD", story.rng.randint(20, 60)), listed, term=36)


def _keep_from_crm(story: Story, contract: Contract, product: str) -> None:
    story.world.not_in_crm.add(story.line(contract, product).crm_id)


def _plant(story: Story, line: InvoiceLine, apart: Decimal, note: str) -> None:
    amount = document(abs(apart), story.currency)
    story.plant(Planted(CHECK, BILLING, "invoice_lines", line.billing_id, amount, story.currency, note, line.start))


TALES = (
    Tale(twice_the_seats, "USD"),
    Tale(half_the_platforms, "EUR"),
    Tale(a_tenth_more_a_year, "JPY"),
    Tale(hours_of_a_busy_month, "GBP"),
    Tale(more_than_was_entered, "USD"),
)
