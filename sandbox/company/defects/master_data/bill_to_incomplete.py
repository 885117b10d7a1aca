"""A draft waits for a customer who cannot be written to, or who wants an order number that nobody has."""

from dataclasses import replace

from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Consequence, Planted
from sandbox.company.model import Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "bill_to_incomplete"


def without_e_mail(story: Story) -> Plot:
    contract = story.sell(6, Terms("SEAT-STD", story.rng.randint(20, 80)))
    yield Stage.INVOICED
    _contact_has(story, contract, {"WorkEmail": None})
    _plant(story, contract, "SEAT-STD", "the contact has no e-mail address")


def without_an_address(story: Story) -> Plot:
    contract = story.sell(9, Terms("PLATFORM", months=3), Terms("SUPPORT", months=3))
    yield Stage.INVOICED
    _contact_has(story, contract, {"Address1": None, "City": None})
    _plant(story, contract, "PLATFORM", "the contact has no street and no city")


def without_a_contact(story: Story) -> Plot:
    contract = story.sell(4, Terms("SEAT-PRO", story.rng.randint(20, 60)))
    yield Stage.INVOICED
    account = story.world.account_of(contract.crm_id)
    story.world.held_otherwise[BILLING, account.billing_id] = {"BillToId": None}
    _plant(story, contract, "SEAT-PRO", "nobody gets the invoices")


def without_the_order_number(story: Story) -> Plot:
    account = story.account()
    contract = story.deals.sell(account, story.months_ago(3), 12, [Terms("PLATFORM")], po_required=True)
    yield Stage.INVOICED
    world = story.world
    world.contracts[contract.crm_id] = replace(world.contracts[contract.crm_id], po_number=None)
    line = story.drafted(story.charge(contract, "PLATFORM"))
    world.invoices[line.invoice_id] = replace(world.invoices[line.invoice_id], po_number=None)
    also = (Consequence("invoice_without_contract_detail", BILLING, "invoice_lines", line.billing_id, line.start),)
    _plant(story, contract, "PLATFORM", "the contract asks for a purchase order and has none", also)


def _contact_has(story: Story, contract: Contract, fields: dict[str, object]) -> None:
    person = story.world.account_of(contract.crm_id).bill_to
    assert person is not None
    story.world.held_otherwise[BILLING, person.billing_id] = fields


def _plant(story: Story, contract: Contract, product: str, note: str, also: tuple[Consequence, ...] = ()) -> None:
    invoice_id = story.drafted(story.charge(contract, product)).invoice_id
    total = story.world.total_of(invoice_id)
    story.plant(Planted(CHECK, BILLING, "invoices", invoice_id, total, story.currency, note, also=also))


TALES = (
    Tale(without_e_mail, "USD"),
    Tale(without_an_address, "EUR"),
    Tale(without_a_contact, "GBP"),
    Tale(without_the_order_number, "JPY"),
)
