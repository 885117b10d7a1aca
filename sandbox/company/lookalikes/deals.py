"""Won opportunities and contract lines that billing need not know one to one."""

from datetime import timedelta
from decimal import Decimal

from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.labels import BILLING, CRM
from sandbox.company.model import ARREARS
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale


def pilot(story: Story) -> Plot:
    """Won at zero, under a contract whose lines are not billable."""
    account = story.account()
    terms = Terms("SEAT-STD", 10, Decimal(0), billable=False)
    contract = story.deals.sell(account, story.months_ago(2), 3, [terms], kind="Pilot")
    yield Stage.SIGNED
    note = "a pilot at no price"
    story.resemble("closed_won_not_in_billing", CRM, "opportunities", contract.opportunity_id, note)
    line = story.line(contract, "SEAT-STD")
    story.resemble("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id, note)


def worth_nothing(story: Story) -> Plot:
    account = story.account()
    won = story.deals.opportunity(account, kind="Partnership", won=True, closed=story.months_ago(2), amount=Decimal(0))
    yield Stage.SIGNED
    story.resemble("closed_won_not_in_billing", CRM, "opportunities", won.crm_id, "won at zero, no contract")


def won_yesterday(story: Story) -> Plot:
    """The contract is being written; two business days are allowed."""
    account = story.account()
    won = story.deals.opportunity(account, won=True, closed=story.today - timedelta(days=1))
    yield Stage.SIGNED
    story.resemble("closed_won_not_in_billing", CRM, "opportunities", won.crm_id, "won yesterday, no contract yet")


def starts_in_two_weeks(story: Story) -> Plot:
    """Signed yesterday for a later start."""
    account = story.account()
    start = story.today + timedelta(days=13)
    contract = story.deals.sell(account, start, 12, [Terms("SUPPORT", 2)], closed=story.today - timedelta(days=1))
    story.world.not_in_billing.add(contract.crm_id)
    yield Stage.SIGNED
    note = f"won yesterday, starts on {start}"
    story.resemble("closed_won_not_in_billing", CRM, "opportunities", contract.opportunity_id, note)
    line = story.line(contract, "SUPPORT")
    story.resemble("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id, note)


def bundle(story: Story) -> Plot:
    """One component has a price of its own and is billed with the bundle, the other is free."""
    seats = story.rng.randint(30, 80)
    parts = ("SUITE-FORECAST", "SUITE-MOBILE")
    lines = [Terms("SUITE", seats), *(Terms(part, seats, rolls_up=True) for part in parts)]
    contract = story.sell(7, *lines)
    yield Stage.INVOICED
    note = "a component that is billed under the code of its bundle"
    for part in parts:
        line = story.line(contract, part)
        story.resemble("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id, note)
    draft = story.drafted(story.charge(contract, "SUITE"))
    story.resemble("contract_terms_vs_billing", BILLING, "invoice_lines", draft.billing_id, note)


def evergreen(story: Story) -> Plot:
    contract = story.sell(16, Terms("SEAT-STD", story.rng.randint(20, 60)), term=None)
    yield Stage.INVOICED
    charge = story.charge(contract, "SEAT-STD")
    note = "no end was agreed"
    for check in ("subscription_line_without_schedule", "effective_date_mismatch"):
        story.resemble(check, BILLING, "subscription_lines", charge.billing_id, note)


def usage_without_end(story: Story) -> Plot:
    contract = story.sell(9, Terms("API-CALL"), term=24)
    yield Stage.INVOICED
    charge = story.charge(contract, "API-CALL")
    note = "usage is billed as long as there is any"
    story.resemble("subscription_line_without_schedule", BILLING, "subscription_lines", charge.billing_id, note)


def free_months(story: Story) -> Plot:
    contract = story.sell(2, Terms("SEAT-PRO", story.rng.randint(20, 60), free_months=3))
    yield Stage.INVOICED
    charge = story.charge(contract, "SEAT-PRO")
    note = f"free until {charge.free_until}"
    story.resemble("missing_expected_invoice", BILLING, "subscription_lines", charge.billing_id, note)


def free_months_are_over(story: Story) -> Plot:
    contract = story.sell(7, Terms("SUPPORT", 2, free_months=2))
    yield Stage.INVOICED
    charge = story.charge(contract, "SUPPORT")
    note = f"was free until {charge.free_until}"
    story.resemble("missing_expected_invoice", BILLING, "subscription_lines", charge.billing_id, note)


def first_arrears(story: Story) -> Plot:
    contract = story.sell(2, Terms("PLATFORM-ENT", months=3, timing=ARREARS))
    yield Stage.INVOICED
    charge = story.charge(contract, "PLATFORM-ENT")
    due = add_months(charge.start, 3)
    note = f"its first quarter is billed on {due}"
    for check in ("missing_expected_invoice", "subscription_line_without_schedule"):
        story.resemble(check, BILLING, "subscription_lines", charge.billing_id, note)


TALES = (
    Tale(pilot, "USD", CLEAN_BATCH),
    Tale(pilot, "EUR", CLEAN_BATCH),
    Tale(worth_nothing, "GBP", CLEAN_BATCH),
    Tale(won_yesterday, "USD", CLEAN_BATCH),
    Tale(starts_in_two_weeks, "EUR", CLEAN_BATCH),
    Tale(bundle, "USD", CLEAN_BATCH),
    Tale(bundle, "GBP", CLEAN_BATCH),
    Tale(evergreen, "USD", CLEAN_BATCH),
    Tale(evergreen, "JPY", CLEAN_BATCH),
    Tale(usage_without_end, "USD", CLEAN_BATCH),
    Tale(free_months, "USD", CLEAN_BATCH),
    Tale(free_months_are_over, "EUR", CLEAN_BATCH),
    Tale(first_arrears, "USD", CLEAN_BATCH),
    Tale(first_arrears, "JPY", CLEAN_BATCH),
)
