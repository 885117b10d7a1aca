"""An invoice is taken back, and less is billed again."""

from datetime import timedelta
from decimal import Decimal

from sandbox.company.crediting import credit_and_rebill, grant
from sandbox.company.deals import Terms
from sandbox.company.documents import CreditMemo
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "credit_rebill_imbalance"


def support_is_forgotten(story: Story) -> Plot:
    yield from _without_support(story, Terms("SEAT-STD", story.rng.randint(30, 90)), Terms("SUPPORT", 2), 4)


def annual_support_is_forgotten(story: Story) -> Plot:
    yield from _without_support(story, Terms("PLATFORM-ENT", months=12), Terms("SUPPORT", 3, months=12), 10)


def quarterly_support_is_forgotten(story: Story) -> Plot:
    yield from _without_support(story, Terms("PLATFORM", months=3), Terms("SUPPORT", months=3), 8)


def the_second_invoice_is_never_made(story: Story) -> Plot:
    contract = story.sell(5, Terms("SEAT-PRO", story.rng.randint(20, 60)))
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, "SEAT-PRO"))[-2]
    invoice = story.world.invoices[line.invoice_id]
    day = story.today - timedelta(days=20)
    memo = grant(story.world, invoice, line.amount, "credit_and_rebill", day=day, tax=line.tax)
    _plant(story, memo, memo.amount, "credited to be billed again, and not billed again")


def _without_support(story: Story, first: Terms, support: Terms, months_ago: int) -> Plot:
    contract = story.sell(months_ago, first, support)
    yield Stage.INVOICED
    line = story.posted(story.charge(contract, first.product))[0]
    left_out = story.posted(story.charge(contract, "SUPPORT"))[0]
    memo, rebill = credit_and_rebill(story.world, story.world.invoices[line.invoice_id], [line])
    _plant(story, memo, left_out.amount + left_out.tax, f"{rebill.number} leaves out the support")


def _plant(story: Story, memo: CreditMemo, short: Decimal, note: str) -> None:
    key = str(memo.billing_id)
    spike = Consequence("credit_memo_spike", BILLING, "credit_memos", key, memo.day)
    story.plant(Planted(CHECK, BILLING, "credit_memos", key, short, story.currency, note, also=(spike,)))


TALES = (
    Tale(support_is_forgotten, "USD"),
    Tale(annual_support_is_forgotten, "EUR"),
    Tale(quarterly_support_is_forgotten, "JPY"),
    Tale(the_second_invoice_is_never_made, "GBP"),
)
