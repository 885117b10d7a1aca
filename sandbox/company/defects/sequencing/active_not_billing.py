"""The customer goes on using what it has, and billing has stopped the subscription."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.model import ARREARS, Charge, Contract, ContractLine
from sandbox.company.periods import add_months
from sandbox.company.provisioning import stop_billing
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "active_not_billing"


def never_resumed(story: Story) -> Plot:
    """Suspended for a late payment; it was paid, and the service was resumed everywhere but in billing."""
    contract = story.sell(9, story.seats(80))
    yield Stage.PROVISIONED
    _use(story, contract, 3)
    stop_billing(story.world, contract.crm_id, story.months_ago(2), suspended=True)
    yield Stage.INVOICED
    _plant(story, contract, story.months_ago(2), "suspended in billing alone")


def cancellation_withdrawn(story: Story) -> Plot:
    """In the middle of a month, so that the first days of it are billed."""
    contract = story.sell(7, story.seats(35, product="SEAT-PRO", timing=ARREARS))
    day = story.months_ago(2).replace(day=story.rng.randint(9, 20))
    yield Stage.PROVISIONED
    _use(story, contract, 3)
    stop_billing(story.world, contract.crm_id, day)
    yield Stage.INVOICED
    _plant(story, contract, day, "the cancellation was withdrawn in the CRM alone")


def never_activated(story: Story) -> Plot:
    """The subscription is still waiting for its activation, and the customer works since the first day."""
    contract = story.sell(2, story.seats(140, months=3))
    yield Stage.PROVISIONED
    _use(story, contract, 2)
    subscription = story.world.subscriptions[contract.crm_id]
    story.world.subscriptions[contract.crm_id] = replace(subscription, status="Pending Activation")
    yield Stage.INVOICED
    for line in story.world.lines_of(contract.crm_id):
        for charge in story.world.charges.where(line_id=line.crm_id):
            story.world.remove_lines(story.world.billed(charge.billing_id))
    won = Consequence("closed_won_not_in_billing", CRM, "opportunities", contract.opportunity_id)
    _plant(story, contract, contract.start, "in use, and its subscription still pending", won)


def _use(story: Story, contract: Contract, months: int) -> None:
    """Below what is included, so that there is no overage to bill."""
    line = _counted(story, contract)
    for months_ago in range(1, months + 1):
        story.count_seats(line, months_ago, int(line.quantity) - story.rng.randint(1, 9))


def _counted(story: Story, contract: Contract) -> ContractLine:
    return next(line for line in story.world.lines_of(contract.crm_id) if line.included)


def _plant(story: Story, contract: Contract, since: date, note: str, *also: Consequence) -> None:
    line = _counted(story, contract)
    charge = story.world.charge_of(line.crm_id)
    behind = Consequence("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id)
    month = since.replace(day=1)
    while month < story.today:
        amount = _missed(charge, line, since, month, story.currency)
        story.plant(
            Planted(
                CHECK, BILLING, "subscription_lines", charge.billing_id, amount, story.currency, note, month,
                (behind, *also),
            )
        )  # fmt: skip
        month = add_months(month, 1)


def _missed(charge: Charge, line: ContractLine, since: date, month: date, currency: str) -> Decimal:
    following = add_months(month, 1)
    share = Fraction((following - max(since, month)).days, (following - month) // timedelta(days=1))
    return document(Fraction(line.quantity * charge.price) * share, currency)


TALES = (Tale(never_resumed, "USD"), Tale(cancellation_withdrawn, "EUR"), Tale(never_activated, "JPY"))
