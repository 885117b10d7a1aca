"""The term has ended, nobody renewed it, and the customer goes on working."""

from datetime import date
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "missed_renewal"


def seats_in_use(story: Story) -> Plot:
    """Two months after the end; what was sold beside the seats is rendered with them."""
    contract = story.sell(14, story.seats(90), Terms("SUPPORT", 2), term=12)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {2: 84, 1: 87})
    yield Stage.INVOICED
    _plant(story, contract, story.today, "seats in use since the term ended")


def calls_after_the_end(story: Story) -> Plot:
    """A platform with its metered calls, billed by the quarter; the tenant was never switched off."""
    contract = story.sell(15, Terms("PLATFORM-ENT", months=3), Terms("API-CALL"), term=12, bill_day=15)
    yield Stage.PROVISIONED
    story.weekly(story.charge(contract, "API-CALL"), story.today, least=2_000)
    yield Stage.INVOICED
    _plant(story, contract, story.today, "calls every week since the term ended")


def used_for_two_months(story: Story) -> Plot:
    """Then the customer left."""
    contract = story.sell(16, story.seats(60, months=12), term=12)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {4: 55, 3: 51, 2: 0, 1: 0})
    yield Stage.INVOICED
    _plant(story, contract, story.months_ago(2), "in use for two months after the end")


def renewal_in_negotiation(story: Story) -> Plot:
    """The renewal is open and nowhere near a signature."""
    contract = story.sell(13, story.seats(45), term=12)
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {1: 45})
    yield Stage.INVOICED
    story.deals.renewal(contract, "Negotiation/Review")
    _plant(story, contract, story.today, "in use while the renewal is negotiated")


def _plant(story: Story, contract: Contract, until: date, note: str) -> None:
    assert contract.end is not None, "only a term that ends is renewed"
    for line in story.world.lines_of(contract.crm_id):
        if line.recurs:
            share = Fraction((until - contract.end).days, 365)
            amount = document(Fraction(line.quantity * line.price * 12) * share, story.currency)
            story.plant(Planted(CHECK, CRM, "contract_lines", line.crm_id, amount, story.currency, note, contract.end))


TALES = (
    Tale(seats_in_use, "USD"),
    Tale(calls_after_the_end, "EUR"),
    Tale(used_for_two_months, "JPY"),
    Tale(renewal_in_negotiation, "GBP"),
)
