"""The run of a bill date was posted, and one invoice of it was not: it is a draft to this day."""

from dataclasses import replace

from sandbox.company.deals import Terms
from sandbox.company.documents import DRAFT
from sandbox.company.labels import BILLING, Planted
from sandbox.company.model import ARREARS, Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "recurring_bill_date_missed"


def posting_failed(story: Story) -> Plot:
    """Two months ago; the invoices since were posted."""
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(40, 110)))
    yield Stage.INVOICED
    _leave(story, contract, "SEAT-STD", -2, "left behind two months ago")


def set_aside_last_week(story: Story) -> Plot:
    """Less than a period late."""
    contract = story.sell(9, Terms("SUPPORT", 4), bill_day=20)
    yield Stage.INVOICED
    _leave(story, contract, "SUPPORT", -1, "set aside since the 20th")


def quarter_in_arrears(story: Story) -> Plot:
    contract = story.sell(11, Terms("PLATFORM", 3, months=3, timing=ARREARS))
    yield Stage.INVOICED
    _leave(story, contract, "PLATFORM", -1, "the last quarter was never posted")


def _leave(story: Story, contract: Contract, product: str, place: int, note: str) -> None:
    line = story.posted(story.charge(contract, product))[place]
    invoice = story.world.invoices[line.invoice_id]
    story.world.invoices[invoice.billing_id] = replace(invoice, status=DRAFT, posted_at=None)
    story.plant(
        Planted(CHECK, BILLING, "invoice_lines", line.billing_id, line.amount, story.currency, note, line.start)
    )


TALES = (Tale(posting_failed, "USD"), Tale(set_aside_last_week, "EUR"), Tale(quarter_in_arrears, "JPY"))
