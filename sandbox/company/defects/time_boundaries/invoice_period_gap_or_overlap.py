"""Two invoices of a line leave days out between them, or both bill them."""

from datetime import date, timedelta
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.manual import bill_at
from sandbox.company.model import ARREARS, Charge
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "invoice_period_gap_or_overlap"
_YEAR_DAYS = 365


def first_week_left_out(story: Story) -> Plot:
    """The month was billed from a later day on, and only for the days from then."""
    contract = story.sell(9, Terms("SEAT-STD", story.rng.randint(50, 150)))
    yield Stage.INVOICED
    charge = story.charge(contract, "SEAT-STD")
    line = story.posted(charge)[-2]
    later = line.start + timedelta(days=story.rng.randint(5, 12))
    _moved(story, line, later, line.end)
    _plant(story, charge, line, (line.start, later), "billed from a later day on")


def quarter_cut_short(story: Story) -> Plot:
    """A quarter in arrears was billed without its last days; the next begins with the next quarter."""
    contract = story.sell(12, Terms("PLATFORM", 2, months=3, timing=ARREARS))
    yield Stage.INVOICED
    charge = story.charge(contract, "PLATFORM")
    line, following = story.posted(charge)[-2:]
    earlier = line.end - timedelta(days=story.rng.randint(6, 20))
    _moved(story, line, line.start, earlier)
    _plant(story, charge, following, (earlier, line.end), "the last days of a quarter were left out")


def draft_begins_too_early(story: Story) -> Plot:
    """The draft bills the last days of the month before as well."""
    contract = story.sell(7, Terms("SEAT-PRO", story.rng.randint(20, 60)))
    yield Stage.INVOICED
    charge = story.charge(contract, "SEAT-PRO")
    draft = story.drafted(charge)
    earlier = draft.start - timedelta(days=story.rng.randint(3, 9))
    _moved(story, draft, earlier, draft.end)
    _plant(story, charge, draft, (earlier, draft.start), "the draft begins before the last invoice ends")


def _moved(story: Story, line: InvoiceLine, start: date, end: date) -> None:
    """The line for other days, at the share of its amount that falls on them."""
    share = Fraction(line.amount) * (end - start).days / (line.end - line.start).days
    bill_at(story.world, line, share, start=start, end=end)


def _plant(story: Story, charge: Charge, line: InvoiceLine, off: tuple[date, date], note: str) -> None:
    """What the days of `off` cost is wrong, on the line that lies behind them."""
    quantity = charge.segments[-1].quantity
    assert quantity is not None, "a recurring charge has a quantity"
    days = (off[1] - off[0]).days
    amount = document(Fraction(quantity * charge.price) * 12 * days / _YEAR_DAYS, story.currency)
    terms = tuple(
        Consequence("contract_terms_vs_billing", BILLING, "invoice_lines", one.billing_id)
        for one in story.world.billed(charge.billing_id)
        if one.start <= off[1] and off[0] <= one.end
    )
    said = f"{note}: {off[0]} to {off[1]}"
    story.plant(Planted(CHECK, BILLING, "invoice_lines", line.billing_id, amount, story.currency, said, off[0], terms))


TALES = (
    Tale(first_week_left_out, "USD"),
    Tale(quarter_cut_short, "GBP"),
    Tale(draft_begins_too_early, "EUR"),
    Tale(first_week_left_out, "JPY"),
)
