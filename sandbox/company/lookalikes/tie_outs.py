"""Sums that differ at first sight, and tie out when time, disputes and rounding are thought of."""

from dataclasses import replace

from sandbox.company.amending import change
from sandbox.company.amounts import document
from sandbox.company.billing import pay
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.defects.tie_outs.billed_vs_collected_tieout import unpaid_for_long
from sandbox.company.defects.tie_outs.realization_rate_low import three_of_a_segment
from sandbox.company.labels import BILLING, CRM
from sandbox.company.render_salesforce import PRODUCT_IDS
from sandbox.company.stories import Plot, Stage, Story, Tale


def annual_with_monthly(story: Story) -> Plot:
    """One product billed for the year, one by the month: no month holds the contract's value."""
    contract = story.sell(9, Terms("PLATFORM", months=12), Terms("SEAT-STD", story.rng.randint(20, 80)))
    yield Stage.INVOICED
    for product in ("PLATFORM", "SEAT-STD"):
        key = story.line(contract, product).crm_id
        story.resemble("booked_vs_billed_tieout", CRM, "contract_lines", key, "annual and monthly in one contract")


def all_the_rest_is_disputed(story: Story) -> Plot:
    contract = story.sell(8, Terms("SEAT-PRO", story.rng.randint(20, 60)))
    yield Stage.COPIED
    invoice = unpaid_for_long(story, contract.crm_id)
    total = story.world.total_of(invoice.billing_id)
    part = document(total * 3 / 4, story.currency)
    pay(story.world, invoice, part, invoice.due)
    story.world.invoices[invoice.billing_id] = replace(invoice, disputed=total - part)
    key = story.world.accounts[invoice.account_id].billing_id
    story.resemble("billed_vs_collected_tieout", BILLING, "accounts", key, "a quarter is in dispute")


def rounded_both_ways(story: Story) -> Plot:
    """Parts of months in yen: rounding falls on both sides."""
    start = story.months_ago(14).replace(day=story.rng.randint(5, 25))
    terms = Terms("SEAT-VIEW", story.rng.randint(11, 97))
    contract = story.deals.sell(story.account(), start, 24, [terms])
    yield Stage.INVOICED
    key = story.line(contract, "SEAT-VIEW").crm_id
    story.resemble("booked_vs_billed_tieout", CRM, "contract_lines", key, "a first part of a month, rounded")


def seats_changed_every_month(story: Story) -> Plot:
    """Parts of months in yen, month after month: what rounding leaves falls on both sides."""
    contract = story.sell(15, Terms("SEAT-VIEW", story.rng.randint(61, 97)))
    line = story.line(contract, "SEAT-VIEW")
    for months in range(14, 0, -1):
        day = story.months_ago(months).replace(day=story.rng.randint(5, 25))
        change(story.deals, line, 3 if months % 2 else -2, day)
    yield Stage.INVOICED
    note = "a few yen of rounding in every month"
    story.resemble("small_drift_accumulator", CRM, "products", PRODUCT_IDS["SEAT-VIEW"], note)


def unpaid_and_disputed(story: Story) -> Plot:
    """As little was collected as in a segment that does not pay; but all of it is disputed, which counts apart."""
    contracts = three_of_a_segment(story, "Research", Terms("SUPPORT", 2))
    yield Stage.COPIED
    first = story.months_ago(9)
    charge = story.charge(contracts[0], "SUPPORT")
    world = story.world
    for invoice_id in sorted({i.invoice_id for i in story.posted(charge) if first <= i.start < story.months_ago(4)}):
        world.unpay(invoice_id)
        world.invoices[invoice_id] = replace(world.invoices[invoice_id], disputed=world.total_of(invoice_id))
    note = "what was not collected is in dispute"
    story.resemble("realization_rate_low", CRM, "accounts", contracts[0].account_id, note)


TALES = (
    Tale(annual_with_monthly, "USD", CLEAN_BATCH),
    Tale(all_the_rest_is_disputed, "EUR", CLEAN_BATCH),
    Tale(rounded_both_ways, "JPY", CLEAN_BATCH),
    Tale(seats_changed_every_month, "JPY", CLEAN_BATCH),
    Tale(unpaid_and_disputed, "GBP", CLEAN_BATCH),
)
