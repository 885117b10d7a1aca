"""Several credit memos of one day come to more than the limit."""

from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.crediting import grant
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "credit_memo_spike"
_LIMIT = Decimal(10_000)


def three_in_a_day(story: Story) -> Plot:
    yield from _in_a_day(story, 3, _LIMIT * Decimal("0.45"), 18)


def five_in_a_day(story: Story) -> Plot:
    yield from _in_a_day(story, 5, _LIMIT * Decimal("0.26"), 40)


def one_large_one(story: Story) -> Plot:
    yield from _in_a_day(story, 1, _LIMIT * Decimal("1.6"), 75)


def _in_a_day(story: Story, count: int, dollars: Decimal, days_ago: int) -> Plot:
    """All are documented and approved; it is their sum that somebody should look at."""
    contract = story.sell(12, Terms("PLATFORM-ENT", 5))
    yield Stage.INVOICED
    day = story.today - timedelta(days=days_ago)
    lines = story.posted(story.charge(contract, "PLATFORM-ENT"))[:count]
    net = local_price(dollars, story.currency)
    granted = [
        grant(story.world, story.world.invoices[line.invoice_id], net, "price_correction", day=day) for line in lines
    ]
    total = sum((memo.amount for memo in granted), Decimal(0))
    first = min(str(memo.billing_id) for memo in granted)
    note = f"{count} on {day}"
    story.plant(Planted(CHECK, BILLING, "credit_memos", first, total, story.currency, note, day))


TALES = (Tale(three_in_a_day, "USD"), Tale(five_in_a_day, "JPY"), Tale(one_large_one, "EUR"))
