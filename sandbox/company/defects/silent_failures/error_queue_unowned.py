"""A record lies in the error queue since yesterday or longer, and has no owner."""

from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.deals import Terms
from sandbox.company.flow_records import FlowError
from sandbox.company.flows import INVOICES, QUOTES, USAGE, failed
from sandbox.company.labels import PLATFORM, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "error_queue_unowned"


def a_priced_quote(story: Story) -> Plot:
    """The platform says what the record is worth; the customer's next invoice is weeks away."""
    contract = story.sell(3, Terms("SEAT-STD", story.rng.randint(20, 80)), bill_day=20)
    yield Stage.INVOICED
    amount = document(Decimal(story.rng.randint(90_000, 900_000)) / 100, story.currency)
    account = story.world.account_of(contract.crm_id)
    error = failed(
        story.world, QUOTES, contract.quote_id, account, 30, amount=amount, currency=story.currency
    )  # fmt: skip
    _plant(story, error, amount, "a quote, refused yesterday")


def usage_without_an_amount(story: Story) -> Plot:
    """Worth the customer's next invoice: a month of seats."""
    yield from _by_next_invoice(story, 1, 15, 9)


def seats_by_the_quarter(story: Story) -> Plot:
    yield from _by_next_invoice(story, 3, 10, 200)


def nobodys_invoice(story: Story) -> Plot:
    """The record names no customer."""
    yield Stage.INVOICED
    amount = local_price(Decimal(story.rng.randint(700, 4_000)), story.currency)
    record = f"INV-LOST-{story.rng.randint(1_000, 9_999)}"
    error = failed(story.world, INVOICES, record, None, 55, amount=amount, currency=story.currency)
    _plant(story, error, amount, "an invoice that names no customer")


def _by_next_invoice(story: Story, months: int, bill_day: int, hours_ago: int) -> Plot:
    """The fourth month of the contract has begun: the next invoice is that of the next period."""
    contract = story.sell(4, Terms("SEAT-PRO", story.rng.randint(20, 80), months=months), bill_day=bill_day)
    yield Stage.INVOICED
    line = story.line(contract, "SEAT-PRO")
    error = failed(story.world, USAGE, line.crm_id, story.world.account_of(contract.crm_id), hours_ago)
    amount = document(line.quantity * line.price * months, story.currency)
    _plant(story, error, amount, f"no amount of its own; {months} months of seats are billed next")


def _plant(story: Story, error: FlowError, amount: Decimal, note: str) -> None:
    story.plant(Planted(CHECK, PLATFORM, "integration_errors", error.error_id, amount, story.currency, note))


TALES = (
    Tale(a_priced_quote, "USD"),
    Tale(usage_without_an_amount, "EUR"),
    Tale(seats_by_the_quarter, "JPY"),
    Tale(nobodys_invoice, "GBP"),
)
