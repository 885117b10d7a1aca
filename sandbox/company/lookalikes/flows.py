"""Errors and runs of the integration platform that need nobody."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.flow_records import Flow, FlowError
from sandbox.company.flows import QUOTES, failed, good_runs, moved_again, run_of
from sandbox.company.labels import PLATFORM
from sandbox.company.stories import Plot, Stage, Story, Tale

_UNOWNED, _BLOCKS, _EMPTY = "error_queue_unowned", "error_queue_blocks_invoice", "integration_empty_run"


def there_already(story: Story) -> Plot:
    """A class of error that somebody declared harmless: the record is in the target. The draft waits."""
    contract = story.sell(5, Terms("SEAT-STD", 45))
    yield Stage.INVOICED
    account = story.world.account_of(contract.crm_id)
    error = failed(story.world, QUOTES, contract.quote_id, account, 90, code="ALREADY_EXISTS", message="Duplicate key")
    _alike(story, error, "declared harmless", _UNOWNED, _BLOCKS)


def moved_by_a_later_run(story: Story) -> Plot:
    contract = story.sell(4, Terms("PLATFORM"))
    yield Stage.INVOICED
    error = failed(story.world, QUOTES, contract.quote_id, story.world.account_of(contract.crm_id), 33)
    moved_again(story.world, error)
    _alike(story, error, "a later run with the same trace key moved it", _UNOWNED, _BLOCKS)


def queued_this_morning(story: Story) -> Plot:
    """Nobody has had the time to take it, and the customer is billed in three weeks."""
    contract = story.sell(4, Terms("SEAT-PRO", 30), bill_day=20)
    yield Stage.INVOICED
    error = failed(story.world, QUOTES, contract.quote_id, story.world.account_of(contract.crm_id), 2)
    _alike(story, error, "two hours old", _UNOWNED)


def billed_in_two_weeks(story: Story) -> Plot:
    contract = story.sell(4, Terms("SEAT-PRO", 30), bill_day=15)
    yield Stage.INVOICED
    account = story.world.account_of(contract.crm_id)
    error = failed(story.world, QUOTES, contract.quote_id, account, 50, owner="it-desk@example.com")
    _alike(story, error, "owned, and billed in two weeks", _BLOCKS)


def quiet_days(story: Story) -> Plot:
    """Nothing came and the source says so; a run that was short and was run again; Sundays that are always empty."""
    number = story.world.ids.number("flow")
    each = local_price(Decimal(35), story.currency)
    counted = Flow(f"renewals_to_billing_{number}", "salesforce", "zuora", "Contract", (80,) * 7, each, story.currency)
    weekly = replace(
        counted, name=f"partners_to_billing_{number}", by_weekday=(30, 30, 30, 30, 30, 30, 0), counts=False
    )
    yield Stage.INVOICED
    runs = list(good_runs(story.world, counted, 50))
    day = runs[-5].started_at.date()
    runs[-2] = replace(runs[-2], written=0, source_count=0, amount=None)
    runs[-5] = run_of(counted, day, 0, source_count=80, trace_key=f"{counted.name}-{day}")
    runs.append(run_of(counted, day, 80, source_count=80, trace_key=f"{counted.name}-{day}", at=9))
    story.world.flow_runs.extend([*runs, *good_runs(story.world, weekly, 50)])
    sunday = story.today - timedelta(days=story.today.isoweekday() % 7 or 7)
    empty = run_of(weekly, sunday, 0)
    for key, note in (
        (runs[-3].run_id, "the source itself had nothing"),
        (runs[-6].run_id, "run again the same morning"),
        (empty.run_id, "a Sunday, on which nothing ever comes"),
    ):
        story.resemble(_EMPTY, PLATFORM, "integration_runs", key, note)


def _alike(story: Story, error: FlowError, note: str, *checks: str) -> None:
    for check in checks:
        story.resemble(check, PLATFORM, "integration_errors", error.error_id, note)


TALES = (
    Tale(there_already, "USD", CLEAN_BATCH),
    Tale(moved_by_a_later_run, "EUR", CLEAN_BATCH),
    Tale(queued_this_morning, "GBP", CLEAN_BATCH),
    Tale(billed_in_two_weeks, "JPY", CLEAN_BATCH),
    Tale(quiet_days, "USD", CLEAN_BATCH),
)
