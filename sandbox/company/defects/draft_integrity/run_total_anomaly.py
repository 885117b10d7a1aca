"""A slip of three zeros on one line takes the total of the whole run out of its band.

However many customers have one, there is one total per currency, and one finding about the largest.
"""

from collections import Counter
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import CHARGE
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.manual import enter
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "run_total_anomaly"
_ZEROS = 1000
# Some days more than the check wants, because other stories take invoices away.
_SEVERAL, _ENOUGH_DAYS = 2, 66


def training_at_a_thousand_times_its_price(story: Story) -> Plot:
    yield from _typed(story, Terms("SEAT-STD", story.rng.randint(40, 110)), "TRAINING", Decimal(25), (1_150, 1_350))


def set_up_at_a_thousand_times_its_price(story: Story) -> Plot:
    yield from _typed(story, Terms("PLATFORM", 2, months=3), "SETUP", Decimal(4), (4_200, 6_800))


def days_by_the_thousand(story: Story) -> Plot:
    yield from _typed(story, Terms("SUPPORT", 3), "TRAINING", Decimal(21), (900, 1_200))


def _typed(story: Story, terms: Terms, product: str, quantity: Decimal, between: tuple[int, int]) -> Plot:
    contract = story.sell(9 if terms.months == 3 else 7, terms)
    yield Stage.INVOICED
    invoice_id = story.drafted(story.charge(contract, terms.product)).invoice_id
    price = document(Decimal(story.rng.randint(*between) * _ZEROS), story.currency)
    if not _is_judged(story):
        return
    line = enter(story.world, invoice_id, product, CHARGE, quantity, price)
    day, currency = story.world.invoices[invoice_id].day, story.currency
    by_hand = Consequence("invoice_without_contract_detail", BILLING, "invoice_lines", line.billing_id)
    note = f"{line.name} at a thousand times its price makes the run too large"
    story.plant(Planted(CHECK, BILLING, "invoices", invoice_id, None, currency, note, day, (by_hand,), currency))


def _is_judged(story: Story) -> bool:
    """In a small company too few days have several invoices in a currency for anybody to say what is usual."""
    accounts = story.world.accounts
    invoices = Counter(
        invoice.day
        for invoice in story.world.invoices.values()
        if (invoice.currency or accounts[invoice.account_id].currency) == story.currency
    )
    return sum(1 for day, count in invoices.items() if day < story.today and count >= _SEVERAL) >= _ENOUGH_DAYS


TALES = (
    Tale(training_at_a_thousand_times_its_price, "USD"),
    Tale(set_up_at_a_thousand_times_its_price, "EUR"),
    Tale(days_by_the_thousand, "GBP"),
)
