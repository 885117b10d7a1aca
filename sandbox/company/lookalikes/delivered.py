"""Goods, work, modules and commitments that only look as if somebody had forgotten to bill them."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.delivering import Grant, item, ship, work
from sandbox.company.labels import CRM, METERING, SERVICES, SHIPPING
from sandbox.company.model import Commit
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale


def not_sold_or_not_yet_due(story: Story) -> Plot:
    """Everything on one customer: a beta that runs, goods on loan, work within a retainer, a year that still runs."""
    commit = Commit(local_price(Decimal(90_000), story.currency), 12)
    later = Commit(local_price(Decimal(90_000), story.currency), 3, rolls_over=True)
    lines = (
        Terms("PLATFORM"), Terms("ROUTER", 6), Terms("CONSULTING"), Terms("MESSAGE", commit=commit),
        Terms("API-CALL", commit=later),
    )  # fmt: skip
    contract = story.deals.sell(story.account(), story.months_ago(8), 24, lines, billing_rule="Retainer")
    yield Stage.PROVISIONED
    world = story.world
    routers, hours = story.line(contract, "ROUTER"), story.line(contract, "CONSULTING")
    world.told_work.add(hours.crm_id)
    month = add_months(story.today.replace(day=1), -1)
    beta = Grant(contract.account_id, "SUITE-FORECAST", month, Decimal(50), "Beta", story.today + timedelta(days=60))
    world.grants[contract.account_id, "SUITE-FORECAST", month] = beta
    story.resemble("entitlement_exceeds_contract", METERING, "entitlements", beta.key, "a beta until the end of winter")
    yield Stage.INVOICED
    for status in ("Backorder", "Replacement", "Consignment", "Returned"):
        sent = ship(world, routers, 2, routers.start + timedelta(days=30), status)
        story.resemble("shipped_not_billed", SHIPPING, "shipments", sent.key, status.lower())
    fresh = ship(world, routers, 2, story.today - timedelta(days=3))
    story.resemble("shipped_not_billed", SHIPPING, "shipments", fresh.key, "left three days ago")
    in_retainer = work(world, hours, 8, story.months_ago(3).replace(day=7))
    story.resemble("unbilled_work", SERVICES, "work_items", in_retainer.key, "the retainer pays for hours")
    for product, note in (("MESSAGE", "the year still runs"), ("API-CALL", "what lacks may be made up later")):
        line = story.line(contract, product)
        story.resemble("commit_shortfall_unbilled", CRM, "contract_lines", line.crm_id, note)


def open_or_capped_work(story: Story) -> Plot:
    """Hours up to the cap were billed. One day was not approved, another only this week."""
    price = local_price(Decimal(100), story.currency)
    contract = story.deals.sell(
        story.account(), story.months_ago(6), 24, [Terms("CONSULTING", price=price)], billing_rule="Capped",
        cap=price * 12,
    )  # fmt: skip
    yield Stage.PROVISIONED
    line = story.line(contract, "CONSULTING")
    story.world.told_work.add(line.crm_id)
    for day in (4, 18):
        work(story.world, line, 6, story.months_ago(4).replace(day=day))
    yield Stage.INVOICED
    above = work(story.world, line, 5, story.months_ago(2).replace(day=9))
    story.resemble("unbilled_work", SERVICES, "work_items", above.key, "the cap is reached")
    submitted = item(story.world, line, "Time", story.months_ago(3), None, quantity=Decimal(4))
    story.resemble("unbilled_work", SERVICES, "work_items", submitted.key, "nobody has approved it")


def lately_approved(story: Story) -> Plot:
    contract = story.sell(5, Terms("PLATFORM"), Terms("CONSULTING"))
    yield Stage.PROVISIONED
    line = story.line(contract, "CONSULTING")
    story.world.told_work.add(line.crm_id)
    yield Stage.INVOICED
    day = story.today - timedelta(days=40)
    approved = datetime.combine(story.today - timedelta(days=2), time(16), UTC)
    late = item(story.world, line, "Time", day, approved, quantity=Decimal(7))
    story.resemble("unbilled_work", SERVICES, "work_items", late.key, "worked long ago, approved two days ago")


TALES = (
    Tale(not_sold_or_not_yet_due, "USD", CLEAN_BATCH),
    Tale(open_or_capped_work, "EUR", CLEAN_BATCH),
    Tale(lately_approved, "GBP", CLEAN_BATCH),
)
