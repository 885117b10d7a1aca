"""The term has ended, nobody renewed it, and the customer goes on working."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document, local_price
from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "missed_renewal"


def seats_in_use(story: Story) -> Plot:
    """Two months after the end; what was sold beside the seats is rendered with them."""
    contract = story.sell(14, _seats(story, 90), Terms("SUPPORT", 2), term=12)
    yield Stage.PROVISIONED
    _count(story, contract, {2: 84, 1: 87})
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
    contract = story.sell(16, _seats(story, 60, months=12), term=12)
    yield Stage.PROVISIONED
    _count(story, contract, {4: 55, 3: 51, 2: 0, 1: 0})
    yield Stage.INVOICED
    _plant(story, contract, story.months_ago(2), "in use for two months after the end")


def renewal_in_negotiation(story: Story) -> Plot:
    """The renewal is open and nowhere near a signature."""
    contract = story.sell(13, _seats(story, 45), term=12)
    yield Stage.PROVISIONED
    _count(story, contract, {1: 45})
    yield Stage.INVOICED
    story.deals.renewal(contract, "Negotiation/Review")
    _plant(story, contract, story.today, "in use while the renewal is negotiated")


def _seats(story: Story, included: int, months: int = 1) -> Terms:
    price = local_price(Decimal(50), story.currency)
    return Terms("SEAT-STD", included, included=included, overage_price=price, months=months)


def _count(story: Story, contract: Contract, active: dict[int, int]) -> None:
    """Active seats by how many months ago."""
    line = story.line(contract, "SEAT-STD")
    for months_ago, seats in active.items():
        story.count_seats(line, months_ago, seats)


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
