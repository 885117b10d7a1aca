"""Customers of the company that was bought, of whom something got lost between its billing system and this one."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import OLD_BILLING, Planted
from sandbox.company.legacy_records import LegacySubscription
from sandbox.company.model import Contract
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "migration_carryover_defect"


def cheaper_than_before(story: Story) -> Plot:
    """The import rounded the price down, in the CRM as well."""
    contract = _carried(story, 14, Terms("SEAT-STD", story.rng.randint(40, 90)))
    yield Stage.PROVISIONED
    old = _old(story, contract)
    (line,) = story.world.legacy_lines.where(subscription=old.key)
    more = document(line.price / 10, story.currency)
    story.world.legacy_lines[line.key] = replace(line, price=line.price + more)
    _plant(story, contract, line.quantity * more, "every seat was a tenth dearer in the old system")


def a_line_left_behind(story: Story) -> Plot:
    contract = _carried(story, 10, Terms("PLATFORM", months=3))
    yield Stage.PROVISIONED
    old = _old(story, contract)
    (line,) = story.world.legacy_lines.where(subscription=old.key)
    price = document(line.price / 5, story.currency)
    left = replace(
        line, key=f"{line.key}-2", product_code="SUPPORT", name="Premium support", price=price, successor=None
    )
    story.world.legacy_lines[left.key] = left
    _plant(story, contract, left.monthly, "the export left out the support line")


def more_than_was_signed(story: Story) -> Plot:
    """Five percent less were agreed and signed; it became ten."""
    contract = _carried(story, 12, Terms("SEAT-PRO", story.rng.randint(20, 50)), bill_day=15)
    yield Stage.PROVISIONED
    old = _old(story, contract)
    (line,) = story.world.legacy_lines.where(subscription=old.key)
    step = document(line.price / 20, story.currency)
    story.world.legacy_lines[line.key] = replace(line, price=line.price + 2 * step)
    story.world.legacy_subscriptions[old.key] = replace(old, expected_delta=-line.quantity * step, approved_by="maria")
    _plant(story, contract, line.quantity * step, "the month fell by twice what was signed")


def a_year_shorter(story: Story) -> Plot:
    contract = _carried(story, 11, Terms("SUPPORT"))
    yield Stage.PROVISIONED
    old = _old(story, contract)
    assert old.end is not None
    story.world.legacy_subscriptions[old.key] = replace(old, end=add_months(old.end, 12))
    _plant(story, contract, None, "the term ended a year later in the old system")


def _carried(story: Story, months: int, terms: Terms, bill_day: int = 1) -> Contract:
    contract = story.sell(months, terms, bill_day=bill_day, term=36)
    story.world.carried_over.add(contract.account_id)
    return contract


def _old(story: Story, contract: Contract) -> LegacySubscription:
    return story.world.legacy_subscriptions[f"LS-{contract.number}"]


def _plant(story: Story, contract: Contract, monthly: Decimal | None, note: str) -> None:
    old = _old(story, contract)
    assert old.end is not None
    months = _begun(story.world.cutover, old.end)
    amount = None if monthly is None else document(monthly * months, story.currency)
    story.plant(Planted(CHECK, OLD_BILLING, "legacy_subscriptions", old.key, amount, story.currency, note))


def _begun(start: date, end: date) -> int:
    """Months that begin in [start, end), counted from the start."""
    n = 0
    while add_months(start, n) < end:
        n += 1
    return n


TALES = (
    Tale(cheaper_than_before, "USD"),
    Tale(a_line_left_behind, "EUR"),
    Tale(more_than_was_signed, "GBP"),
    Tale(a_year_shorter, "JPY"),
)
