"""Usage that two live invoice lines ask for."""

from datetime import date, timedelta
from decimal import Decimal

from sandbox.company.billing import new_invoice, put_line, run_on
from sandbox.company.deals import Terms
from sandbox.company.documents import InvoiceLine
from sandbox.company.labels import BILLING, Planted
from sandbox.company.manual import bill_at
from sandbox.company.model import Charge, Contract
from sandbox.company.rating import Item
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "usage_billed_twice"


def events_fed_again(story: Story) -> Plot:
    """The draft counts two events that the invoice before has billed."""
    contract = story.sell(6, Terms("PLATFORM"), Terms("STORAGE"))
    yield Stage.PROVISIONED
    story.weekly(story.charge(contract, "STORAGE"))
    yield Stage.INVOICED
    charge = story.charge(contract, "STORAGE")
    _feed_again(story, charge, story.only_bill(charge, 2), story.only_bill(charge, 1), 2)


def rerun_took_them_again(story: Story) -> Plot:
    """Both invoices are posted."""
    contract = story.sell(9, Terms("MESSAGE"), bill_day=20)
    yield Stage.PROVISIONED
    story.weekly(story.charge(contract, "MESSAGE"))
    yield Stage.INVOICED
    charge = story.charge(contract, "MESSAGE")
    _feed_again(story, charge, story.only_bill(charge, 3), story.only_bill(charge, 2), 1)


def meter_not_set_back(story: Story) -> Plot:
    """An invoice in the middle of the month before the last, and the month once more from its beginning."""
    contract = story.sell(7, Terms("API-CALL"))
    yield Stage.PROVISIONED
    story.weekly(story.charge(contract, "API-CALL"))
    yield Stage.INVOICED
    charge = story.charge(contract, "API-CALL")
    whole = story.only_bill(charge, 2)
    middle = _bill_the_first_half(story, contract, charge, whole)
    _plant(story, whole, middle.amount, "an invoice within the period, and its days again at the end")


def _bill_the_first_half(story: Story, contract: Contract, charge: Charge, whole: InvoiceLine) -> InvoiceLine:
    half = whole.start + timedelta(days=15)
    used = first_half(story, charge, whole.start, half)
    invoice = new_invoice(story.world, run_on(story.world, half), contract.crm_id)
    return put_line(story.world, invoice, Item(charge, charge.segments[0], half, whole.start, half, used))


def first_half(story: Story, charge: Charge, start: date, half: date) -> Decimal:
    """What was used of a period before a day of it. The events of a story are at noon, UTC, far from any midnight."""
    told = [event for event in story.world.usage if event.charge == charge.number]
    return sum((event.quantity for event in told if start <= event.happened_at.date() < half), Decimal(0))


def _feed_again(story: Story, charge: Charge, first: InvoiceLine, second: InvoiceLine, count: int) -> None:
    world = story.world
    again = world.billed_usage[first.billing_id][:count]
    quantity = second.quantity + sum((event.quantity for event in again), Decimal(0))
    cost = charge.tariff.cost(quantity) if charge.tariff else quantity * charge.price
    billed = bill_at(world, second, cost, quantity=quantity)
    world.billed_usage[second.billing_id] = (*world.billed_usage[second.billing_id], *again)
    _plant(story, second, billed.amount - second.amount, f"{count} events of the period before are billed again")


def _plant(story: Story, line: InvoiceLine, amount: Decimal, note: str) -> None:
    story.plant(Planted(CHECK, BILLING, "invoice_lines", line.billing_id, amount, story.currency, note, line.start))


TALES = (Tale(events_fed_again, "USD"), Tale(rerun_took_them_again, "JPY"), Tale(meter_not_set_back, "EUR"))
