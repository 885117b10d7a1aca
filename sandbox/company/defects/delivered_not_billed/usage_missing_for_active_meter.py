"""A meter that was heard every week has said nothing in the period that has ended."""

from datetime import date
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.model import Charge
from sandbox.company.periods import add_months, period_of
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "usage_missing_for_active_meter"


def collector_switched_off(story: Story) -> Plot:
    contract = story.sell(7, Terms("PLATFORM"), Terms("API-CALL"))
    yield Stage.PROVISIONED
    _goes_quiet(story, story.charge(contract, "API-CALL"), "no call since the period began")


def stored_and_not_metered(story: Story) -> Plot:
    contract = story.sell(5, Terms("STORAGE"), bill_day=10)
    yield Stage.PROVISIONED
    _goes_quiet(story, story.charge(contract, "STORAGE"), "the meter of the storage is silent")


def texts_without_a_count(story: Story) -> Plot:
    contract = story.sell(6, Terms("SMS"))
    yield Stage.PROVISIONED
    _goes_quiet(story, story.charge(contract, "SMS"), "no text was counted")


def _goes_quiet(story: Story, charge: Charge, note: str) -> None:
    """Weekly events from the start, until the last period that has ended begins."""
    silent = add_months(period_of(story.today, charge.anchor, 1)[0], -1)
    story.weekly(charge, silent)
    used: dict[date, Decimal] = {}
    for event in story.world.usage:
        if event.charge == charge.number:
            month = period_of(event.happened_at.date(), charge.anchor, 1)[0]
            used[month] = used.get(month, Decimal(0)) + event.quantity
    last = used[max(used)]
    cost = charge.tariff.cost(last) if charge.tariff else last * charge.price
    amount = document(cost, story.currency)
    story.plant(Planted(CHECK, BILLING, "subscription_lines", charge.billing_id, amount, story.currency, note, silent))


TALES = (Tale(collector_switched_off, "USD"), Tale(stored_and_not_metered, "EUR"), Tale(texts_without_a_count, "JPY"))
