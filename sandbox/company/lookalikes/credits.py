"""Credits that are right, each in a way that a simple rule would take for a mistake."""

from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.crediting import credit_and_rebill, grant
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING
from sandbox.company.stories import Plot, Stage, Story, Tale


def goodwill_below_the_limit(story: Story) -> Plot:
    """Support may grant it with a reason code alone."""
    contract = story.sell(5, Terms("SEAT-STD", story.rng.randint(40, 90)))
    yield Stage.INVOICED
    invoice = story.world.invoices[story.posted(story.charge(contract, "SEAT-STD"))[-2].invoice_id]
    memo = grant(story.world, invoice, local_price(Decimal(75), story.currency), "goodwill", approver=None)
    note = "small goodwill with a reason code"
    story.resemble("credit_memo_without_contract", BILLING, "credit_memos", str(memo.billing_id), note)


def credited_and_billed_again(story: Story) -> Plot:
    """The same line stands on two invoices, of which one was taken back."""
    contract = story.sell(6, Terms("PLATFORM"), Terms("SUPPORT", 2))
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "PLATFORM"))[1]
    invoice = story.world.invoices[line.invoice_id]
    memo, rebill = credit_and_rebill(story.world, invoice, story.world.on_invoice(invoice.billing_id))
    note = f"{rebill.number} bills all of it again"
    story.resemble("credit_rebill_imbalance", BILLING, "credit_memos", str(memo.billing_id), note)
    for again in story.world.on_invoice(rebill.billing_id):
        story.resemble("duplicate_invoice_line", BILLING, "invoice_lines", again.billing_id, note)


def a_part_billed_again_on_purpose(story: Story) -> Plot:
    contract = story.sell(7, Terms("PLATFORM", 2), Terms("SUPPORT"))
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "PLATFORM"))[-2]
    memo, _ = credit_and_rebill(story.world, story.world.invoices[line.invoice_id], [line], "partial_rebill")
    note = "the support was waived, and the reason code says so"
    story.resemble("credit_rebill_imbalance", BILLING, "credit_memos", str(memo.billing_id), note)


def a_campaign(story: Story) -> Plot:
    """Planned credits of one day, above the limit."""
    contract = story.sell(9, Terms("PLATFORM-ENT", 4))
    yield Stage.INVOICED
    day = story.today - timedelta(days=33)
    net = local_price(Decimal(4_000), story.currency)
    for line in story.posted(story.charge(contract, "PLATFORM-ENT"))[:3]:
        invoice = story.world.invoices[line.invoice_id]
        memo = grant(story.world, invoice, net, "outage", day=day, campaign="outage credits")
        story.resemble("credit_memo_spike", BILLING, "credit_memos", str(memo.billing_id), "credits of a campaign")


TALES = (
    Tale(goodwill_below_the_limit, "USD", CLEAN_BATCH),
    Tale(credited_and_billed_again, "EUR", CLEAN_BATCH),
    Tale(a_part_billed_again_on_purpose, "GBP", CLEAN_BATCH),
    Tale(a_campaign, "USD", CLEAN_BATCH),
    Tale(goodwill_below_the_limit, "JPY", CLEAN_BATCH),
    Tale(credited_and_billed_again, "JPY", CLEAN_BATCH),
)
