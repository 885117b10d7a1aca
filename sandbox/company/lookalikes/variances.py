"""Drafts that differ from the period before for a reason that billing knows, of lines that the CRM does not know."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.documents import CREDIT, InvoiceLine
from sandbox.company.labels import BILLING
from sandbox.company.manual import bill_slips, repeat, reverse
from sandbox.company.model import Contract
from sandbox.company.provisioning import split_segment
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "invoice_variance_unexplained"


def first_bill(story: Story) -> Plot:
    contract = _by_letter(story, Terms("PLATFORM", 3), 0)
    yield Stage.INVOICED
    _resemble(story, story.drafted(story.charge(contract, "PLATFORM")), "the first bill of the line")


def a_year_after_a_part(story: Story) -> Plot:
    """Billed once a year with the contract, and added in its course: five months, and now a whole year."""
    contract = story.sell(12, Terms("SEAT-STD", story.rng.randint(20, 60)), term=36)
    terms = Terms("PLATFORM", price=story.off_list("PLATFORM", Decimal(1)), months=12)
    added = story.deals.line(contract, terms, story.months_ago(5))
    story.world.not_in_crm.add(added.crm_id)
    yield Stage.INVOICED
    _resemble(story, story.drafted(story.charge(contract, "PLATFORM")), "an annual line after a part of a year")


def seats_that_were_entered(story: Story) -> Plot:
    contract = _by_letter(story, Terms("SEAT-VIEW", 80), 7)
    yield Stage.PROVISIONED
    split_segment(story.world, contract.crm_id, story.charge(contract, "SEAT-VIEW"), story.today, Decimal(130))
    yield Stage.INVOICED
    _resemble(story, story.drafted(story.charge(contract, "SEAT-VIEW")), "fifty more seats as of today, and entered")


def taken_back_at_once(story: Story) -> Plot:
    """The period twice on the draft, and one of them taken back."""
    contract = _by_letter(story, Terms("SEAT-PRO", story.rng.randint(10, 40), months=3), 9)
    yield Stage.INVOICED
    line = story.drafted(story.charge(contract, "SEAT-PRO"))
    for each in (line, again := repeat(story.world, line), reverse(story.world, again, CREDIT)):
        _resemble(story, each, "billed again and taken back, on one draft")


def a_few_hours_more(story: Story) -> Plot:
    contract = story.sell(4, Terms("PLATFORM"), Terms("CONSULTING"))
    story.world.told_work.add(story.line(contract, "CONSULTING").crm_id)
    yield Stage.INVOICED
    line = bill_slips(story.world, story.charge(contract, "CONSULTING"), [22, 18, 20, 29])
    _resemble(story, line, "usage that moved by less than half")


def _by_letter(story: Story, terms: Terms, months_ago: int) -> Contract:
    """Seats, and beside them something at its list price that only billing was told of."""
    listed = replace(terms, price=story.off_list(terms.product, Decimal(1)))
    contract = story.sell(months_ago, Terms("SEAT-STD", story.rng.randint(20, 60)), listed, term=36)
    story.world.not_in_crm.add(story.line(contract, terms.product).crm_id)
    return contract


def _resemble(story: Story, line: InvoiceLine, note: str) -> None:
    story.resemble(CHECK, BILLING, "invoice_lines", line.billing_id, note)


TALES = (
    Tale(first_bill, "EUR", CLEAN_BATCH),
    Tale(a_year_after_a_part, "USD", CLEAN_BATCH),
    Tale(seats_that_were_entered, "GBP", CLEAN_BATCH),
    Tale(taken_back_at_once, "USD", CLEAN_BATCH),
    Tale(a_few_hours_more, "JPY", CLEAN_BATCH),
)
