"""One system keeps another currency, entity, tax status, terms or address of a customer than the others."""

from decimal import Decimal
from fractions import Fraction

from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, ERP, Planted
from sandbox.company.model import Account, Contract
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "master_data_drift"
_INTEREST = Fraction(8, 100)


def longer_terms_in_billing(story: Story) -> Plot:
    """Somebody granted sixty days more in billing alone."""
    contract = story.sell(7, Terms("SEAT-STD", story.rng.randint(40, 120)))
    yield Stage.INVOICED
    account = _account(story, contract)
    story.world.held_otherwise[BILLING, account.billing_id] = {"PaymentTerm": f"Net {account.terms_days + 60}"}
    lent = Fraction(_next(story, contract, "SEAT-STD")) * 60 * _INTEREST / 365
    _plant(story, account, lent, f"sixty days more than the {account.terms_days} that Finance granted")


def sold_by_another_entity(story: Story) -> Plot:
    contract = story.sell(5, Terms("PLATFORM"), Terms("SUPPORT"))
    yield Stage.INVOICED
    account = _account(story, contract)
    story.world.held_otherwise[BILLING, account.billing_id] = {"LegalEntity__c": "DE GmbH"}
    _plant(story, account, _next(story, contract, "PLATFORM"), "billing writes invoices of another entity")


def another_currency_in_the_erp(story: Story) -> Plot:
    contract = story.sell(9, Terms("SEAT-PRO", story.rng.randint(10, 40), months=3))
    yield Stage.INVOICED
    account = _account(story, contract)
    key = str(account.erp_id)
    story.world.held_otherwise[ERP, key] = {"currency": 1}
    amount = _next(story, contract, "SEAT-PRO")
    story.plant(Planted(CHECK, ERP, "accounts", key, amount, story.currency, "the ERP expects dollars"))


def exempt_in_billing(story: Story) -> Plot:
    """It is billed on the fifteenth: no draft waits."""
    contract = story.sell(6, Terms("SEAT-VIEW", story.rng.randint(80, 200)), bill_day=15)
    yield Stage.INVOICED
    account = _account(story, contract)
    story.world.held_otherwise[BILLING, account.billing_id] = {"TaxExemptStatus": "Yes"}
    line = story.line(contract, "SEAT-VIEW")
    _plant(story, account, line.quantity * line.price, "billing believes the customer to be exempt")


def an_address_of_old(story: Story) -> Plot:
    contract = story.sell(4, Terms("PLATFORM-ENT"))
    yield Stage.INVOICED
    account = _account(story, contract)
    assert account.bill_to is not None
    story.world.held_otherwise[BILLING, account.bill_to.billing_id] = {"WorkEmail": "accounts@former-name.example"}
    _plant(story, account, _next(story, contract, "PLATFORM-ENT"), "invoices go to an address that the CRM replaced")


def _account(story: Story, contract: Contract) -> Account:
    return story.world.account_of(contract.crm_id)


def _next(story: Story, contract: Contract, product: str) -> Decimal:
    """What the next invoice comes to without tax: the draft that waits, else one period of the line."""
    line = story.line(contract, product)
    billed = story.world.billed(story.charge(contract, product).billing_id)
    last = story.world.invoices[billed[-1].invoice_id]
    if last.posted_at is None:
        return sum((one.amount for one in story.world.on_invoice(last.billing_id)), Decimal(0))
    return line.quantity * line.price * (line.billing_months or 1)


def _plant(story: Story, account: Account, amount: Decimal | Fraction, note: str) -> None:
    exact = document(amount, story.currency)
    story.plant(Planted(CHECK, BILLING, "accounts", account.billing_id, exact, story.currency, note))


TALES = (
    Tale(longer_terms_in_billing, "USD"),
    Tale(sold_by_another_entity, "GBP"),
    Tale(another_currency_in_the_erp, "EUR"),
    Tale(exempt_in_billing, "JPY"),
    Tale(an_address_of_old, "USD"),
)
