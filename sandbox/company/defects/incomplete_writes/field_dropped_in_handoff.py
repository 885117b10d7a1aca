"""The hand-over to billing lost a field, and billing goes by its default."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, CRM, Consequence, Planted
from sandbox.company.model import ADVANCE, ARREARS, Charge, Contract, ContractLine
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "field_dropped_in_handoff"


def discount(story: Story) -> Plot:
    """Billing has the list price; the first invoice is a draft."""
    agreed = story.off_list("SEAT-PRO", Decimal("0.8"))
    contract = story.sell(0, Terms("SEAT-PRO", story.rng.randint(30, 80), agreed))
    yield Stage.PROVISIONED
    line = story.line(contract, "SEAT-PRO")
    _put(story, story.charge(contract, "SEAT-PRO"), price=line.list_price)
    yield Stage.INVOICED
    amount = document(line.quantity * (line.list_price - line.price), story.currency)
    _plant(story, line, "discount", amount, "20 % off in the CRM, the list price in billing", *_billed(story, contract))


def tax_code(story: Story) -> Plot:
    """Support is billed after its first month, and will be without tax; the seats beside it are taxed."""
    seats = Terms("SEAT-STD", story.rng.randint(120, 300))
    contract = story.sell(0, seats, Terms("SUPPORT", timing=ARREARS))
    yield Stage.PROVISIONED
    _put(story, story.charge(contract, "SUPPORT"), tax_code=None)
    yield Stage.INVOICED
    line = story.line(contract, "SUPPORT")
    rate = story.world.account_of(contract.crm_id).tax_rate
    _plant(story, line, "tax code", document(line.quantity * line.price * rate, story.currency), "no tax code")


def free_months(story: Story) -> Plot:
    """Three months free in the CRM, and billed since the first day."""
    contract = story.sell(2, Terms("PLATFORM", free_months=3))
    yield Stage.PROVISIONED
    _put(story, story.charge(contract, "PLATFORM"), free_until=None)
    yield Stage.INVOICED
    line = story.line(contract, "PLATFORM")
    amount = document(line.quantity * line.price * 3, story.currency)
    _plant(story, line, "free period", amount, "free months are billed", *_billed(story, contract))


def arrears(story: Story) -> Plot:
    contract = story.sell(4, Terms("SUPPORT", 3, timing=ARREARS))
    yield Stage.PROVISIONED
    _put(story, story.charge(contract, "SUPPORT"), timing=ADVANCE)
    yield Stage.INVOICED
    line = story.line(contract, "SUPPORT")
    amount = document(line.quantity * line.price, story.currency)
    _plant(story, line, "billing in arrears", amount, "billed in advance", *_billed(story, contract))


def _put(story: Story, charge: Charge, **fields: object) -> None:
    story.world.charges[charge.billing_id] = replace(charge, **fields)  # type: ignore[arg-type]


def _billed(story: Story, contract: Contract) -> Iterator[Consequence]:
    """What other checks may say of the invoices that were made without the field."""
    for line in story.world.lines_of(contract.crm_id):
        yield Consequence("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id)
        for billed in story.world.billed(story.world.charge_of(line.crm_id).billing_id):
            for check in ("contract_terms_vs_billing", "pricing_drift"):
                yield Consequence(check, BILLING, "invoice_lines", billed.billing_id, billed.start)


def _plant(story: Story, line: ContractLine, field: str, amount: Decimal, note: str, *also: Consequence) -> None:
    said = f"{field}: {note}"
    story.plant(Planted(CHECK, CRM, "contract_lines", line.crm_id, amount, story.currency, said, None, also))


TALES = (Tale(discount, "USD"), Tale(tax_code, "EUR"), Tale(free_months, "GBP"), Tale(arrears, "JPY"))
