"""Somebody has taken the error, and the customer is billed before it is mended."""

from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.flow_records import FlowError
from sandbox.company.flows import QUOTES, failed
from sandbox.company.labels import PLATFORM, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "error_queue_blocks_invoice"


def before_the_run(story: Story) -> Plot:
    """The draft waits already."""
    contract = story.sell(5, Terms("SEAT-STD", story.rng.randint(40, 120)), Terms("SUPPORT"))
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "SEAT-STD"))
    amount = sum((line.amount for line in story.world.on_invoice(draft.invoice_id)), Decimal(0))
    error = _owned(story, contract.crm_id, contract.quote_id, 20)
    _plant(story, error, amount, "the draft waits in today's run")


def tried_twice(story: Story) -> Plot:
    """Two entries about one record: the older one stands for both."""
    contract = story.sell(7, Terms("PLATFORM", story.rng.randint(1, 4)))
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "PLATFORM"))
    error = _owned(story, contract.crm_id, contract.quote_id, 70)
    _owned(story, contract.crm_id, contract.quote_id, 26)
    _plant(story, error, draft.amount, "queued twice, and the draft waits")


def in_three_days(story: Story) -> Plot:
    yield from _on_schedule(story, Terms("SEAT-VIEW", story.rng.randint(100, 300)), 6, 4)


def before_the_second_year(story: Story) -> Plot:
    yield from _on_schedule(story, Terms("SEAT-PRO", story.rng.randint(15, 60), months=12), 11, 5)


def _on_schedule(story: Story, terms: Terms, months_ago: int, bill_day: int) -> Plot:
    """Billed this week, by what its line comes to in the next period."""
    contract = story.sell(months_ago, terms, bill_day=bill_day)
    yield Stage.INVOICED
    line = story.line(contract, terms.product)
    amount = document(line.quantity * line.price * terms.months, story.currency)
    error = _owned(story, contract.crm_id, line.crm_id, 40)
    _plant(story, error, amount, f"billed on the {bill_day}th, no draft yet")


def _owned(story: Story, contract_id: str, record: str, hours_ago: int) -> FlowError:
    account = story.world.account_of(contract_id)
    return failed(story.world, QUOTES, record, account, hours_ago, owner="it-desk@example.com")


def _plant(story: Story, error: FlowError, amount: Decimal, note: str) -> None:
    story.plant(Planted(CHECK, PLATFORM, "integration_errors", error.error_id, amount, story.currency, note))


TALES = (
    Tale(before_the_run, "USD"),
    Tale(in_three_days, "EUR"),
    Tale(before_the_second_year, "JPY"),
    Tale(tried_twice, "GBP"),
)
