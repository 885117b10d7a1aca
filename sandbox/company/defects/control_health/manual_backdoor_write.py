"""A record of billing or of the ERP was written by hand, by an upload or by a script, and no ticket says why."""

from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.auditing import change_by_hand
from sandbox.company.deals import Terms
from sandbox.company.labels import AUDIT, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "manual_backdoor_write"


def a_price_by_upload(story: Story) -> Plot:
    """The trail has the price before and after, in the customer's currency."""
    contract = story.sell(5, Terms("SEAT-STD", story.rng.randint(10, 50)))
    yield Stage.COPIED
    charge = story.charge(contract, "SEAT-STD")
    lower = document(charge.price * 9 / 10, story.currency)
    change = change_by_hand(
        story.world, charge.account_id, "RatePlanCharge", charge.number, "Price", "import", timedelta(days=3),
        before=str(charge.price), after=str(lower), currency=story.currency,
    )  # fmt: skip
    _plant(story, change, charge.price - lower, "a price, lowered by an upload")


def an_invoice_in_the_erp(story: Story) -> Plot:
    contract = story.sell(4, Terms("SUPPORT", 2))
    yield Stage.COPIED
    posted = story.posted(story.charge(contract, "SUPPORT"))[-1]
    copy = story.world.in_erp(posted.invoice_id)
    amount = local_price(Decimal(story.rng.randint(20, 200)), story.currency)
    account = story.world.account_of(contract.crm_id)
    change = change_by_hand(
        story.world, account.crm_id, "CustInvc", copy.number, "terms", "ui", timedelta(days=11),
        before="Net 30", after="Net 90", amount=amount, currency=story.currency,
    )  # fmt: skip
    _plant(story, change, amount, "payment terms of an invoice, typed into the ERP")


def a_script_over_two_fields(story: Story) -> Plot:
    """Two fields of one record within a minute: one finding, named by the first."""
    contract = story.sell(6, Terms("SEAT-PRO", 30))
    yield Stage.COPIED
    charge = story.charge(contract, "SEAT-PRO")
    one, two = (local_price(Decimal(story.rng.randint(30, 300)), story.currency) for _ in range(2))
    ago = timedelta(days=20)
    first = change_by_hand(
        story.world, charge.account_id, "RatePlanCharge", charge.number, "Quantity", "script", ago,
        before="30", after="25", amount=-one, currency=story.currency,
    )  # fmt: skip
    change_by_hand(
        story.world, charge.account_id, "RatePlanCharge", charge.number, "Discount", "script",
        ago - timedelta(minutes=1), before="0", after="5", amount=-two, currency=story.currency,
    )  # fmt: skip
    _plant(story, first, one + two, "a script over quantity and discount")


def a_person_by_the_api(story: Story) -> Plot:
    contract = story.sell(7, Terms("PLATFORM"))
    yield Stage.COPIED
    charge = story.charge(contract, "PLATFORM")
    amount = local_price(Decimal(story.rng.randint(100, 900)), story.currency)
    change = change_by_hand(
        story.world, charge.account_id, "Subscription", charge.number, "TermEndDate", "api", timedelta(days=1),
        before="", after=f"{story.today:%Y-%m-%d}", amount=amount, currency=story.currency,
    )  # fmt: skip
    _plant(story, change, amount, "a term, cut short by a person's own API key")


def _plant(story: Story, change: str, amount: Decimal, note: str) -> None:
    (day,) = [said.changed_at.date() for said in story.world.record_changes if said.change_id == change]
    story.plant(Planted(CHECK, AUDIT, "record_changes", change, amount, story.currency, note, day))


TALES = (
    Tale(a_price_by_upload, "USD"),
    Tale(an_invoice_in_the_erp, "EUR"),
    Tale(a_script_over_two_fields, "JPY"),
    Tale(a_person_by_the_api, "GBP"),
)
