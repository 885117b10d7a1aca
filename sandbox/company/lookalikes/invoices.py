"""Invoices that are right, each in a way that a simple rule would take for a mistake."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.company.amending import cancel
from sandbox.company.amounts import document, local_price, minor_unit
from sandbox.company.deals import CLEAN_BATCH, EARLY_BATCH, Terms
from sandbox.company.documents import CREDIT, DRAFT
from sandbox.company.labels import BILLING, ERP
from sandbox.company.manual import enter, repeat, reverse
from sandbox.company.model import ARREARS
from sandbox.company.stories import Plot, Stage, Story, Tale


def started_in_mid_month(story: Story) -> Plot:
    """The first days up to the bill day are a part of a month."""
    start = story.months_ago(2).replace(day=story.rng.randint(10, 24))
    terms = Terms("SEAT-PRO", story.rng.randint(20, 70))
    contract = story.deals.sell(story.account(), start, 12, [terms])
    yield Stage.INVOICED
    stub = story.posted(story.charge(contract, "SEAT-PRO"))[0]
    note = f"from {stub.start} to {stub.end}, by days"
    for check in ("contract_terms_vs_billing", "invoice_math_error"):
        record = ("invoice_lines", stub.billing_id) if "terms" in check else ("invoices", stub.invoice_id)
        story.resemble(check, BILLING, *record, note)


def rounded_once(story: Story) -> Plot:
    """The platform rounds the total, not the lines: they differ by one minor unit."""
    contract = story.sell(5, Terms("SEAT-STD", 33), Terms("SUPPORT"), Terms("SEAT-VIEW", 77))
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "SUPPORT"))
    posted = story.posted(story.charge(contract, "SUPPORT"))[-1]
    shift = minor_unit(story.currency)
    for line, by in ((draft, shift), (posted, -shift)):
        invoice = story.world.invoices[line.invoice_id]
        story.world.invoices[invoice.billing_id] = replace(invoice, total_shift=by)
        note = "one minor unit between the total and three lines"
        story.resemble("invoice_math_error", BILLING, "invoices", invoice.billing_id, note)


def charged_twice_and_credited(story: Story) -> Plot:
    """Billed twice by a retry, and taken back on the same invoice."""
    contract = story.sell(8, Terms("PLATFORM", 2))
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "PLATFORM"))[-1]
    again = repeat(story.world, line)
    back = reverse(story.world, again, CREDIT)
    note = "billed twice and credited once: it nets out"
    for said in (line, again, back):
        story.resemble("duplicate_invoice_line", BILLING, "invoice_lines", said.billing_id, note)
        story.resemble("invoice_period_gap_or_overlap", BILLING, "invoice_lines", said.billing_id, note)


def cancelled_with_true_up(story: Story) -> Plot:
    """The overage of the last month is billed after the cancellation took effect."""
    price = local_price(Decimal(60), story.currency)
    sold = story.sell(10, Terms("SEAT-STD", 50, included=50, overage_price=price))
    contract = cancel(story.deals, sold, story.months_ago(2))
    line = story.line(contract, "SEAT-STD")
    yield Stage.PROVISIONED
    story.count_seats(line, 3, 50 + story.rng.randint(2, 9))
    yield Stage.INVOICED
    overage = story.world.overage_of(line.crm_id)
    billed = story.posted(overage)[-1]
    note = f"invoiced on {billed.end}, for the time before the cancellation"
    story.resemble("cancelled_still_billing", BILLING, "invoice_lines", billed.billing_id, note)


def cancelled_arrears(story: Story) -> Plot:
    """The last quarter in arrears is invoiced on the day of the cancellation."""
    sold = story.sell(9, Terms("SUPPORT", 2, months=3, timing=ARREARS))
    contract = cancel(story.deals, sold, story.months_ago(3))
    yield Stage.INVOICED
    billed = story.posted(story.charge(contract, "SUPPORT"))[-1]
    note = f"for the last quarter before {contract.cancelled_on}"
    story.resemble("cancelled_still_billing", BILLING, "invoice_lines", billed.billing_id, note)


def posted_an_hour_ago(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-STD", story.rng.randint(20, 70)))
    yield Stage.COPIED
    line = story.posted(story.charge(contract, "SEAT-STD"))[-1]
    note = "posted an hour ago, the ERP takes it tonight"
    story.resemble("invoice_not_in_erp", BILLING, "invoices", line.invoice_id, note)


def recognised_at_once(story: Story) -> Plot:
    """Implementation is recognised when it is done, so there is nothing to schedule."""
    contract = story.sell(4, Terms("PLATFORM"), Terms("SETUP"))
    yield Stage.COPIED
    line = story.posted(story.charge(contract, "SETUP"))[0]
    copied = story.world.line_in_erp(line.billing_id)
    note = "recognised at a point in time"
    story.resemble("revenue_schedule_missing", ERP, "invoice_lines", str(copied.key), note)


def goodwill_by_hand(story: Story) -> Plot:
    """A credit needs no contract line."""
    contract = story.sell(7, Terms("PLATFORM"), Terms("SEAT-STD", 40))
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "PLATFORM"))
    price = document(draft.amount / 20, story.currency)
    line = enter(story.world, draft.invoice_id, "GOODWILL", CREDIT, Decimal(-1), price)
    note = "a goodwill credit entered by hand"
    story.resemble("invoice_without_contract_detail", BILLING, "invoice_lines", line.billing_id, note)


def no_order_number_needed(story: Story) -> Plot:
    """The contract names a purchase order and does not demand it on invoices."""
    contract = story.sell(5, Terms("SUPPORT", 3))
    yield Stage.INVOICED
    draft = story.drafted(story.charge(contract, "SUPPORT"))
    invoice = story.world.invoices[draft.invoice_id]
    story.world.invoices[invoice.billing_id] = replace(invoice, po_number=None)
    note = "no purchase order, and none is required"
    story.resemble("invoice_without_contract_detail", BILLING, "invoice_lines", draft.billing_id, note)


def yen_by_the_day(story: Story) -> Plot:
    """A part of a month in a currency without decimals."""
    start = story.months_ago(3).replace(day=story.rng.randint(5, 25))
    terms = Terms("SEAT-STD", story.rng.randint(11, 97), Decimal(4999))
    contract = story.deals.sell(story.account(), start, 24, [terms])
    yield Stage.INVOICED
    stub = story.posted(story.charge(contract, "SEAT-STD"))[0]
    note = "whole yen, rounded once"
    story.resemble("contract_terms_vs_billing", BILLING, "invoice_lines", stub.billing_id, note)
    story.resemble("invoice_math_error", BILLING, "invoices", stub.invoice_id, note)


def tax_still_to_come(story: Story) -> Plot:
    """Tax is calculated when the run is approved: the draft has none on any line."""
    contract = story.sell(7, Terms("SEAT-STD", story.rng.randint(15, 60)), Terms("SUPPORT"))
    yield Stage.INVOICED
    invoice_id = story.drafted(story.charge(contract, "SUPPORT")).invoice_id
    note = "no tax has been calculated for this draft yet"
    for line in story.world.on_invoice(invoice_id):
        story.world.invoice_lines[line.billing_id] = replace(line, tax=Decimal(0))
        story.resemble("tax_or_currency_mismatch", BILLING, "invoice_lines", line.billing_id, note)


def not_posted_yet(story: Story) -> Plot:
    """Billed on the 28th; the run is still being checked."""
    contract = story.sell(6, Terms("SEAT-VIEW", story.rng.randint(50, 90)), bill_day=28)
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "SEAT-VIEW"))[-1]
    invoice = story.world.invoices[line.invoice_id]
    story.world.invoices[invoice.billing_id] = replace(invoice, status=DRAFT, posted_at=None)
    note = "three days after its bill date a draft may still wait"
    story.resemble("recurring_bill_date_missed", BILLING, "invoice_lines", line.billing_id, note)


def midnight_in_utc(story: Story) -> Plot:
    """The ERP writes the customer's midnight as a day of UTC: a day early in Tokyo, and the same everywhere else."""
    contract = story.sell(5, Terms("SUPPORT", 2))
    yield Stage.COPIED
    note = "a day early as a whole: midnight in Tokyo lies on the day before in UTC"
    for line in story.posted(story.charge(contract, "SUPPORT"))[:-1]:
        copied = story.world.line_in_erp(line.billing_id)
        start, end = line.start - timedelta(days=1), line.end - timedelta(days=1)
        story.world.erp_lines[copied.key] = replace(copied, start=start, end=end)
        element = story.world.revenue[copied.key]
        story.world.revenue[copied.key] = replace(element, start=start, end=end)
        story.resemble("effective_date_mismatch", ERP, "invoice_lines", str(copied.key), note)


TALES = (
    Tale(tax_still_to_come, "EUR", CLEAN_BATCH),
    Tale(not_posted_yet, "USD", CLEAN_BATCH),
    Tale(midnight_in_utc, "JPY", CLEAN_BATCH),
    Tale(started_in_mid_month, "USD", CLEAN_BATCH),
    Tale(started_in_mid_month, "EUR", CLEAN_BATCH),
    Tale(rounded_once, "USD", CLEAN_BATCH),
    Tale(rounded_once, "JPY", CLEAN_BATCH),
    Tale(charged_twice_and_credited, "USD", CLEAN_BATCH),
    Tale(charged_twice_and_credited, "EUR", CLEAN_BATCH),
    Tale(cancelled_with_true_up, "USD", CLEAN_BATCH),
    Tale(cancelled_with_true_up, "GBP", CLEAN_BATCH),
    Tale(cancelled_arrears, "EUR", CLEAN_BATCH),
    Tale(posted_an_hour_ago, "USD", EARLY_BATCH),
    Tale(posted_an_hour_ago, "GBP", EARLY_BATCH),
    Tale(recognised_at_once, "USD", CLEAN_BATCH),
    Tale(recognised_at_once, "JPY", CLEAN_BATCH),
    Tale(goodwill_by_hand, "EUR", CLEAN_BATCH),
    Tale(no_order_number_needed, "USD", CLEAN_BATCH),
    Tale(yen_by_the_day, "JPY", CLEAN_BATCH),
    Tale(yen_by_the_day, "JPY", CLEAN_BATCH),
)
