"""An agreed rise of the price never reached billing."""

from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.model import ARREARS, Contract, Uplift
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "missed_uplift"


def rise_of_this_month(story: Story) -> Plot:
    """The first invoice at the new price is a draft, and bills the old one."""
    terms = Terms("SEAT-STD", story.rng.randint(60, 180), uplift=Uplift(Decimal("0.05"), story.months_ago(0)))
    yield from _missed(story, story.sell(12, terms, term=36), "SEAT-STD", 1)


def rise_of_the_index_in_autumn(story: Story) -> Plot:
    """7.1 % by the index, 4 % by the cap; three months are posted, the fourth is a draft."""
    fixed = story.months_ago(3)
    uplift = Uplift(Decimal("0.071"), story.months_ago(4), None, "HICP", fixed, Decimal("0.01"), Decimal("0.04"))
    terms = Terms("PLATFORM-ENT", uplift=uplift)
    yield from _missed(story, story.sell(16, terms, term=36), "PLATFORM-ENT", 1)


def second_rise(story: Story) -> Plot:
    """The first one was billed. Quarters in arrears."""
    uplift = Uplift(Decimal("0.03"), story.months_ago(18), 12)
    terms = Terms("SUPPORT", story.rng.randint(2, 5), months=3, timing=ARREARS, uplift=uplift)
    yield from _missed(story, story.sell(21, terms, term=60), "SUPPORT", 3, rises=1)


def rise_of_a_year(story: Story) -> Plot:
    uplift = Uplift(Decimal("0.045"), story.months_ago(1))
    terms = Terms("SEAT-PRO", story.rng.randint(30, 70), months=12, uplift=uplift)
    yield from _missed(story, story.sell(13, terms, term=36), "SEAT-PRO", 12)


def _missed(story: Story, contract: Contract, product: str, months: int, rises: int = 0) -> Plot:
    """Billing takes the first few rises only."""
    yield Stage.SIGNED
    line = story.line(contract, product)
    missed = story.world.rises_of(line)[rises:]
    story.world.not_followed |= {(line.crm_id, day) for day in missed}
    yield Stage.INVOICED
    for billed in story.world.billed(story.charge(contract, product).billing_id):
        if billed.start >= missed[0]:
            price = story.world.price_on(line, billed.start)
            amount = document(Fraction(billed.quantity * (price - billed.price)) * months, story.currency)
            note = f"{billed.price} billed, {price} since {missed[0]}"
            story.plant(
                Planted(CHECK, BILLING, "invoice_lines", billed.billing_id, amount, story.currency, note, billed.start)
            )


TALES = (
    Tale(rise_of_this_month, "USD"),
    Tale(rise_of_the_index_in_autumn, "EUR"),
    Tale(second_rise, "GBP"),
    Tale(rise_of_a_year, "JPY"),
)
