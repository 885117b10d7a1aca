"""A payment failed and nobody did anything about it."""

from datetime import timedelta

from sandbox.company.billing import chase, refuse
from sandbox.company.deals import Terms
from sandbox.company.documents import Invoice, Payment
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "payment_failure_no_dunning"


def card_refused(story: Story) -> Plot:
    yield from _refused(story, Terms("SEAT-STD", story.rng.randint(40, 160)), 8, "Do not honor", "CreditCard")


def debit_returned(story: Story) -> Plot:
    """The bank sent it back; an annual invoice."""
    yield from _refused(story, Terms("PLATFORM", months=12), 14, "Account closed", "ACH")


def reminder_bounced(story: Story) -> Plot:
    """A step was taken, and failed as well: nobody was reached."""
    contract = story.sell(6, Terms("SUPPORT", 2))
    yield Stage.COPIED
    invoice, tried = _fail(story, contract.crm_id, "Insufficient funds", "CreditCard")
    chase(story.world, tried, "reminder", 1, status="failed")
    _plant(story, invoice, tried, "the only reminder bounced")


def second_attempt_failed_too(story: Story) -> Plot:
    """Retried once, refused again, and then left alone."""
    contract = story.sell(7, Terms("SEAT-PRO", story.rng.randint(10, 30)))
    yield Stage.COPIED
    invoice, first = _fail(story, contract.crm_id, "Insufficient funds", "CreditCard", before=9)
    again = refuse(story.world, invoice, first.amount, first.day + timedelta(days=2))
    _plant(story, invoice, again, "refused twice, then nothing")


def _refused(story: Story, terms: Terms, months_ago: int, failure: str, method: str) -> Plot:
    contract = story.sell(months_ago, terms)
    yield Stage.COPIED
    invoice, tried = _fail(story, contract.crm_id, failure, method)
    _plant(story, invoice, tried, f"{failure.lower()}, and nobody acted")


def _fail(story: Story, contract_id: str, failure: str, method: str, before: int = 0) -> tuple[Invoice, Payment]:
    """The last posted invoice of a contract, with its payments taken away and an attempt that failed."""
    world = story.world
    invoice = unpaid(story, contract_id)
    day = max(min(invoice.due, world.today - timedelta(days=12 + before)), invoice.day)
    tried = refuse(world, invoice, world.total_of(invoice.billing_id), day, failure=failure, method=method)
    return invoice, tried


def unpaid(story: Story, contract_id: str) -> Invoice:
    """The last invoice of a contract that was posted three weeks ago or earlier, without what was paid of it."""
    world = story.world
    posted = [
        invoice
        for invoice in world.invoices.values()
        if invoice.contract_id == contract_id and invoice.posted_at and invoice.day <= world.today - timedelta(days=21)
    ]
    last = max(posted, key=lambda invoice: invoice.day)
    world.unpay(last.billing_id)
    return last


def _plant(story: Story, invoice: Invoice, tried: Payment, note: str) -> None:
    due = story.world.total_of(invoice.billing_id)
    story.plant(Planted(CHECK, BILLING, "payments", tried.billing_id, due, story.currency, note))


TALES = (
    Tale(card_refused, "USD"),
    Tale(debit_returned, "EUR"),
    Tale(reminder_bounced, "GBP"),
    Tale(second_attempt_failed_too, "JPY"),
)
