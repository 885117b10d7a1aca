"""Changes of contracts that are as they should be."""

from dataclasses import replace

from sandbox.company.amending import add_on, amendment, change
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING, CRM
from sandbox.company.model import Contract, QuoteLine
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale


def co_termed_add_on(story: Story) -> Plot:
    """Seats added within the last year of an annual contract: billed for the months that are left, not for twelve."""
    contract = story.sell(18, Terms("SEAT-STD", 100, months=12))
    line = add_on(story.deals, contract, Terms("SEAT-PRO", 25, months=12), story.months_ago(2))
    yield Stage.INVOICED
    billed = story.posted(story.world.charge_of(line.crm_id))[-1]
    note = "a new line for the last months of the term, prorated"
    story.resemble("contract_terms_vs_billing", BILLING, "invoice_lines", billed.billing_id, note)
    story.resemble("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id, note)


def future_dated(story: Story) -> Plot:
    """Ordered last week, in force from January: billing need not have it."""
    contract = story.sell(11, Terms("SEAT-STD", story.rng.randint(40, 90)))
    effective = add_months(story.today, story.rng.randint(1, 3))
    ordered = story.months_ago(1).replace(day=18)
    made = change(story.deals, story.line(contract, "SEAT-STD"), 15, effective, ordered=ordered)
    yield Stage.INVOICED
    note = f"takes effect on {effective}"
    story.resemble("amendment_without_billing_schedule", CRM, "amendments", made.amendment_id, note)
    draft = story.drafted(story.charge(contract, "SEAT-STD"))
    story.resemble("contract_terms_vs_billing", BILLING, "invoice_lines", draft.billing_id, note)


def decrease(story: Story) -> Plot:
    contract = story.sell(10, Terms("SEAT-PRO", story.rng.randint(60, 120), months=3))
    made = change(story.deals, story.line(contract, "SEAT-PRO"), -story.rng.randint(5, 30), story.months_ago(4))
    yield Stage.INVOICED
    note = f"{made.delta} seats since {made.effective}, and billed so"
    story.resemble("amendment_without_billing_schedule", CRM, "amendments", made.amendment_id, note)
    line = story.posted(story.charge(contract, "SEAT-PRO"))[-1]
    story.resemble("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id, note)


def increase_in_mid_month(story: Story) -> Plot:
    """The rest of the month is credited at the old quantity and billed at the new one."""
    contract = story.sell(8, Terms("SEAT-STD", story.rng.randint(60, 120)))
    middle = story.months_ago(2).replace(day=story.rng.randint(8, 20))
    made = change(story.deals, story.line(contract, "SEAT-STD"), story.rng.randint(5, 30), middle)
    yield Stage.INVOICED
    note = f"{made.delta:+} seats in the middle of a month: one line, its credit, and the new line"
    for line in story.posted(story.charge(contract, "SEAT-STD")):
        if line.start == middle:
            story.resemble("duplicate_invoice_line", BILLING, "invoice_lines", line.billing_id, note)
            story.resemble("contract_terms_vs_billing", BILLING, "invoice_lines", line.billing_id, note)
            story.resemble("invoice_period_gap_or_overlap", BILLING, "invoice_lines", line.billing_id, note)


def draft_without_contract(story: Story) -> Plot:
    contract = story.sell(9, Terms("PLATFORM"))
    quote = amendment(story.deals, contract, add_months(story.today, 1), ordered=story.months_ago(1), is_ordered=False)
    _one_more(story, contract, quote.crm_id, 1)
    story.world.quotes[quote.crm_id] = replace(story.world.quotes[quote.crm_id], contract_id=None)
    yield Stage.INVOICED
    note = "a draft that nobody has ordered"
    story.resemble("broken_amendment_link", CRM, "amendments", quote.crm_id, note)
    story.resemble("amendment_without_billing_schedule", CRM, "amendments", quote.crm_id, note)


def without_billing_delta(story: Story) -> Plot:
    """Ordered to change a name on the contract; no quantity, no price."""
    contract = story.sell(12, Terms("PLATFORM"))
    quote = amendment(story.deals, contract, story.months_ago(3))
    _one_more(story, contract, quote.crm_id, 0)
    story.world.not_applied.add(quote.crm_id)
    yield Stage.INVOICED
    note = "an ordered amendment that changes nothing to bill"
    story.resemble("amendment_without_billing_schedule", CRM, "amendments", quote.crm_id, note)


def renewal_without_gap(story: Story) -> Plot:
    """The old subscription ended on the day on which the new one began."""
    old = story.sell(15, Terms("SEAT-STD", story.rng.randint(40, 90)), term=12)
    account = story.world.accounts[old.account_id]
    terms = Terms("SEAT-STD", story.rng.randint(40, 90))
    new = story.deals.sell(account, story.months_ago(3), 12, [terms], renews=old, kind="Renewal")
    yield Stage.INVOICED
    note = "renewed by a new contract on the day of its end"
    ended = story.charge(old, "SEAT-STD").billing_id
    story.resemble("missing_expected_invoice", BILLING, "subscription_lines", ended, note)
    story.resemble("subscription_line_without_schedule", BILLING, "subscription_lines", ended, note)
    story.resemble("closed_won_not_in_billing", CRM, "opportunities", old.opportunity_id, note)
    story.resemble("closed_won_not_in_billing", CRM, "opportunities", new.opportunity_id, note)


def _one_more(story: Story, contract: Contract, quote_id: str, more: int) -> None:
    """A quote line on the platform fee, without a change of the contract."""
    line = story.line(contract, "PLATFORM")
    quote_line = QuoteLine(
        story.world.ids.crm("quote_line"),
        quote_id,
        line.product_code,
        line.quantity + more,
        line.quantity,
        line.price,
        story.world.quotes[quote_id].start,
        line.end,
        line.crm_id,
    )
    story.world.quote_lines[quote_line.crm_id] = quote_line


TALES = (
    Tale(co_termed_add_on, "USD", CLEAN_BATCH),
    Tale(co_termed_add_on, "EUR", CLEAN_BATCH),
    Tale(future_dated, "USD", CLEAN_BATCH),
    Tale(future_dated, "GBP", CLEAN_BATCH),
    Tale(decrease, "EUR", CLEAN_BATCH),
    Tale(decrease, "JPY", CLEAN_BATCH),
    Tale(increase_in_mid_month, "USD", CLEAN_BATCH),
    Tale(increase_in_mid_month, "JPY", CLEAN_BATCH),
    Tale(draft_without_contract, "USD", CLEAN_BATCH),
    Tale(draft_without_contract, "EUR", CLEAN_BATCH),
    Tale(without_billing_delta, "GBP", CLEAN_BATCH),
    Tale(renewal_without_gap, "USD", CLEAN_BATCH),
    Tale(renewal_without_gap, "EUR", CLEAN_BATCH),
)
