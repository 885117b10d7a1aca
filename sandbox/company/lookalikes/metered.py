"""Metered usage and its bills that only look wrong."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.billing import new_invoice, put_line, run_on
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.defects.duplicates.usage_billed_twice import first_half
from sandbox.company.documents import CREDIT
from sandbox.company.labels import BILLING
from sandbox.company.manual import bill_at, reverse
from sandbox.company.measuring import event
from sandbox.company.model import Charge
from sandbox.company.periods import add_months, period_of
from sandbox.company.rating import Item
from sandbox.company.stories import Plot, Stage, Story, Tale

_BY_TARIFF = ("STORAGE", "TRANSACTION", "SMS", "COMPUTE", "LOOKUP")


def all_in_order(story: Story) -> Plot:
    """Every kind of price; some storage that is counted late and billed by the next run; and a meter that only beats.

    By one price for all units, each of the lines would be wrong.
    """
    contract = story.sell(7, *(Terms(product) for product in (*_BY_TARIFF, "API-CALL")))
    yield Stage.PROVISIONED
    charges = {product: story.charge(contract, product) for product in (*_BY_TARIFF, "API-CALL")}
    for product in _BY_TARIFF:
        story.weekly(charges[product], least=500 if product == "LOOKUP" else 12_000)
    month, end = story.months_ago(3), story.months_ago(2)
    late = datetime.combine(end + timedelta(days=2), time(9), UTC)
    story.used(charges["STORAGE"], end - timedelta(days=2), 15_000, arrives=late)
    _beat(story, charges["API-CALL"])
    yield Stage.INVOICED
    for product in _BY_TARIFF:
        line = story.only_bill(charges[product], 1)
        note = f"rated by the price list of {product}"
        story.resemble("usage_vs_invoice_mismatch", BILLING, "invoice_lines", line.billing_id, note)
    _billed_later(story, charges["STORAGE"], month)
    _quiet(story, charges["API-CALL"], "heartbeats arrived, and no usage")


def _billed_later(story: Story, charge: Charge, month: date) -> None:
    note = "what came late is on the next invoice, with the days of its period"
    story.resemble("usage_after_cutoff_unbilled", BILLING, "subscription_lines", charge.billing_id, note)
    for line in story.posted(charge):
        if line.start == month:
            for check in ("usage_vs_invoice_mismatch", "usage_billed_twice"):
                story.resemble(check, BILLING, "invoice_lines", line.billing_id, note)


def _beat(story: Story, charge: Charge) -> None:
    """Weekly usage, and none in the period that has ended last; the meter says every third day that it works."""
    silent = add_months(period_of(story.today, charge.anchor, 1)[0], -1)
    story.weekly(charge, silent)
    for days in range(0, 28, 3):
        beat = event(
            story.world,
            "api_calls",
            Decimal(0),
            datetime.combine(silent + timedelta(days=days), time(6), UTC),
            customer=charge.account_id,
            subject="collector",
            charge=charge,
            heartbeat=True,
        )
        story.world.usage.append(beat)


def late_and_not_due(story: Story) -> Plot:
    """Calls of the month that has just ended, which came after the run had begun."""
    contract = story.sell(4, Terms("API-CALL"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "API-CALL")
    story.weekly(charge)
    arrives = story.world.now - timedelta(minutes=9)
    story.used(charge, story.today - timedelta(days=2), 40_000, arrives=arrives)
    yield Stage.INVOICED
    note = "the next run is still to come"
    story.resemble("usage_after_cutoff_unbilled", BILLING, "subscription_lines", charge.billing_id, note)


def now_and_then(story: Story) -> Plot:
    """Used every seven weeks, and between that not at all."""
    contract = story.sell(11, Terms("PLATFORM"), Terms("SMS"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "SMS")
    story.world.told_meters.add(charge.number)
    day = add_months(period_of(story.today, charge.anchor, 1)[0], -1) - timedelta(days=4)
    while day >= charge.start:
        story.used(charge, day, 5_000 + story.rng.randint(0, 3_000))
        day -= timedelta(days=49)
    yield Stage.INVOICED
    _quiet(story, charge, "silences of seven weeks are usual here")


def _quiet(story: Story, charge: Charge, note: str) -> None:
    story.resemble("usage_missing_for_active_meter", BILLING, "subscription_lines", charge.billing_id, note)


def middle_and_rest(story: Story) -> Plot:
    """An invoice in the middle of the month, and the rest of it at its end."""
    contract = story.sell(6, Terms("API-CALL"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "API-CALL")
    story.weekly(charge)
    yield Stage.INVOICED
    world, whole = story.world, story.only_bill(charge, 2)
    half = whole.start + timedelta(days=15)
    used = first_half(story, charge, whole.start, half)
    invoice = new_invoice(world, run_on(world, half), contract.crm_id)
    middle = put_line(world, invoice, Item(charge, charge.segments[0], half, whole.start, half, used))
    left = whole.quantity - used
    rest = bill_at(world, whole, left * charge.price, start=half, quantity=left)
    for line in (middle, rest):
        for check in ("usage_billed_twice", "usage_vs_invoice_mismatch"):
            story.resemble(check, BILLING, "invoice_lines", line.billing_id, "the meter was set back in between")


def taken_back(story: Story) -> Plot:
    """Billed in the middle of the month by mistake, and taken back on the same invoice."""
    contract = story.sell(6, Terms("MESSAGE"))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "MESSAGE")
    story.weekly(charge)
    yield Stage.INVOICED
    world, whole = story.world, story.only_bill(charge, 3)
    half = whole.start + timedelta(days=15)
    used = first_half(story, charge, whole.start, half)
    invoice = new_invoice(world, run_on(world, half), contract.crm_id)
    middle = put_line(world, invoice, Item(charge, charge.segments[0], half, whole.start, half, used))
    reverse(world, middle, CREDIT)
    for line in (middle, whole):
        story.resemble("usage_billed_twice", BILLING, "invoice_lines", line.billing_id, "the other line was taken back")


TALES = (
    Tale(all_in_order, "USD", CLEAN_BATCH),
    Tale(all_in_order, "JPY", CLEAN_BATCH),
    Tale(late_and_not_due, "GBP", CLEAN_BATCH),
    Tale(now_and_then, "GBP", CLEAN_BATCH),
    Tale(middle_and_rest, "USD", CLEAN_BATCH),
    Tale(taken_back, "EUR", CLEAN_BATCH),
)
