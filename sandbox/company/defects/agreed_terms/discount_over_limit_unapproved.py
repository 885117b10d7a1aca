"""A quote was ordered with a discount above what a seller may grant, and no approval for it."""

from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.catalog import ONE_TIME
from sandbox.company.deals import Terms
from sandbox.company.labels import CRM, Planted
from sandbox.company.model import Contract
from sandbox.company.periods import months_between
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "discount_over_limit_unapproved"
_LEAST = Decimal("0.85")


def never_asked(story: Story) -> Plot:
    yield from _unapproved(story, Terms("SEAT-STD", story.rng.randint(60, 160)), 5, Decimal("0.7"), None)


def approved_for_less(story: Story) -> Plot:
    """Approved up to 20 %, then changed to 35 %."""
    yield from _unapproved(story, Terms("PLATFORM-ENT"), 4, Decimal("0.65"), Decimal("0.2"))


def once_and_for_a_year(story: Story) -> Plot:
    """A service that is billed once is off as well."""
    extra = Terms("TRAINING", 4, story.off_list("TRAINING", Decimal("0.6")))
    yield from _unapproved(story, Terms("SUPPORT", 3), 7, Decimal("0.75"), None, extra)


def _unapproved(
    story: Story, terms: Terms, months_ago: int, factor: Decimal, up_to: Decimal | None, *more: Terms
) -> Plot:
    price = story.off_list(terms.product, factor)
    lines = (Terms(terms.product, terms.quantity, price), *more)
    contract = story.sell(months_ago, *lines, term=12)
    yield Stage.SIGNED
    story.world.approved_up_to[contract.quote_id] = up_to
    yield Stage.INVOICED
    amount = document(_excess(story, contract), story.currency)
    note = f"{factor} of the list price, approved up to {up_to}"
    story.plant(Planted(CHECK, CRM, "quotes", contract.quote_id, amount, story.currency, note))


def _excess(story: Story, contract: Contract) -> Fraction:
    excess = Fraction(0)
    bill_day = story.world.account_of(contract.crm_id).bill_day
    for line in story.world.lines_of(contract.crm_id):
        assert contract.end is not None
        months = Fraction(1) if line.charge_type == ONE_TIME else months_between(contract.start, contract.end, bill_day)
        excess += Fraction(line.quantity * (line.list_price * _LEAST - line.price)) * months
    return excess


TALES = (
    Tale(never_asked, "USD"),
    Tale(approved_for_less, "EUR"),
    Tale(once_and_for_a_year, "GBP"),
    Tale(never_asked, "JPY"),
)
