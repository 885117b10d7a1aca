"""Subscriptions that billing has stopped, and rightly so."""

from dataclasses import replace

from sandbox.company.amending import cancel
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING
from sandbox.company.model import Contract
from sandbox.company.provisioning import pause_billing, stop_billing
from sandbox.company.stories import Plot, Stage, Story, Tale


def paused_by_agreement(story: Story) -> Plot:
    """Suspended everywhere: the contract runs on, and nobody works with it."""
    contract = story.sell(8, story.seats(60))
    yield Stage.PROVISIONED
    stop_billing(story.world, contract.crm_id, story.months_ago(2), suspended=True)
    story.count_standard_seats(contract, {2: 0, 1: 0})
    yield Stage.INVOICED
    _resemble(story, contract, "suspended, and no seat is in use")


def trial_after_the_end(story: Story) -> Plot:
    """Cancelled, and the customer tries another edition on the same access."""
    contract = cancel(story.deals, story.sell(10, story.seats(45)), story.months_ago(3))
    yield Stage.PROVISIONED
    story.count_standard_seats(contract, {2: 12, 1: 9}, trial=True)
    yield Stage.INVOICED
    _resemble(story, contract, "cancelled; the seats in use since are on trial")


def prepaid_until_the_end(story: Story) -> Plot:
    """The year is paid; billing suspends the renewal, and the customer uses what it has paid for."""
    contract = story.sell(9, story.seats(90, months=12), term=12)
    yield Stage.INVOICED
    subscription = story.world.subscriptions[contract.crm_id]
    story.world.subscriptions[contract.crm_id] = replace(subscription, status="Suspended")
    _resemble(story, contract, "suspended, and billed through the end of the term")


def paused_for_two_months(story: Story) -> Plot:
    """Suspended and resumed by agreement, on bill days."""
    contract = story.sell(9, Terms("SUPPORT", 3))
    yield Stage.PROVISIONED
    pause_billing(story.world, contract.crm_id, story.months_ago(5), story.months_ago(3))
    yield Stage.INVOICED
    charge = story.charge(contract, "SUPPORT")
    note = "not billed while it was suspended"
    for check in ("missing_expected_invoice", "subscription_line_without_schedule"):
        story.resemble(check, BILLING, "subscription_lines", charge.billing_id, note)
    after = next(line for line in story.posted(charge) if line.start == story.months_ago(3))
    story.resemble("invoice_period_gap_or_overlap", BILLING, "invoice_lines", after.billing_id, note)


def _resemble(story: Story, contract: Contract, note: str) -> None:
    charge = story.charge(contract, "SEAT-STD")
    for check in ("active_not_billing", "missing_expected_invoice"):
        story.resemble(check, BILLING, "subscription_lines", charge.billing_id, note)


TALES = (
    Tale(paused_by_agreement, "USD", CLEAN_BATCH),
    Tale(trial_after_the_end, "EUR", CLEAN_BATCH),
    Tale(paused_for_two_months, "USD", CLEAN_BATCH),
    Tale(prepaid_until_the_end, "GBP", CLEAN_BATCH),
)
