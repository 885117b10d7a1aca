"""Cases, holds and overrides that are as they should be."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.audit_records import Approval
from sandbox.company.deals import CLEAN_BATCH, Terms
from sandbox.company.documents import DRAFT
from sandbox.company.labels import OWN
from sandbox.company.own_records import put_case, put_hold, put_override
from sandbox.company.stories import Plot, Stage, Story, Tale

_OVERRIDDEN = "pricing_drift"


def cases_in_good_hands(story: Story) -> Plot:
    """On leave with a deputy, touched last week, waiting for the customer, or resolved and not looked at since."""
    yield Stage.INVOICED
    now, amount = story.world.now, local_price(Decimal(2_400), story.currency)
    for note, columns in (
        ("on leave, and a deputy stands in", {"owner": "tom", "owner_active": False, "deputy": "maria"}),
        ("late, and worked on", {"due_at": now - timedelta(days=1)}),
        ("waits until an announced day", {"state": "pending_customer", "untouched_until": now + timedelta(days=9)}),
        ("resolved, and nobody has to touch it", {"state": "resolved", "untouched_until": now - timedelta(days=9)}),
    ):
        key = put_case(story.world, amount, story.currency, **columns)
        story.resemble("orphaned_exception", OWN, "cases", key, note)


def a_planned_review(story: Story) -> Plot:
    """Held for weeks, with a reason and a day that is still to come."""
    contract = story.sell(4, Terms("SUPPORT"), bill_day=20)
    yield Stage.INVOICED
    last = story.posted(story.charge(contract, "SUPPORT"))[-1]
    invoice = replace(story.world.invoices[last.invoice_id], status=DRAFT, posted_at=None)
    story.world.invoices[invoice.billing_id] = invoice
    until = story.world.now + timedelta(days=4)
    key, _ = put_hold(
        story.world, invoice, invoice.created_at, until_at=until, reason="Legal reviews the order until Friday"
    )
    story.resemble("gate_hold_aged", OWN, "holds", key, "a planned review that is not over")


def held_this_morning(story: Story) -> Plot:
    contract = story.sell(4, Terms("SEAT-VIEW", 60))
    yield Stage.INVOICED
    draft = story.world.invoices[story.drafted(story.charge(contract, "SEAT-VIEW")).invoice_id]
    key, _ = put_hold(story.world, draft, story.world.now - timedelta(minutes=30))
    story.resemble("gate_hold_aged", OWN, "holds", key, "held for half an hour")


def posted_after_all(story: Story) -> Plot:
    contract = story.sell(4, Terms("SEAT-VIEW", 80), bill_day=5)
    yield Stage.INVOICED
    invoice = story.world.invoices[story.posted(story.charge(contract, "SEAT-VIEW"))[-1].invoice_id]
    key, _ = put_hold(story.world, invoice, invoice.created_at)
    story.resemble("gate_hold_aged", OWN, "holds", key, "the invoice was posted since")


def overridden_twice(story: Story) -> Plot:
    yield from _overridden(story, (1, 3), "twice is no habit")


def overridden_long_ago(story: Story) -> Plot:
    yield from _overridden(story, (7, 8, 9), "more runs back than count")


def a_term_that_is_known_by_now(story: Story) -> Plot:
    """After the third override the term was approved as an exception of the customer's contract."""
    yield from _overridden(story, (1, 2, 3), "an approved exception of the contract since")
    customer = story.world.own["overrides"][-1]["account_key"]
    number = story.world.ids.number("approval")
    story.world.approvals.append(
        Approval(
            f"APR-{number}", "exception", _OVERRIDDEN, None, "lukas", story.world.now - timedelta(days=2), customer,
            story.today + timedelta(days=400),
        )
    )  # fmt: skip


def _overridden(story: Story, places: tuple[int, ...], note: str) -> Plot:
    contract = story.sell(11, Terms("SEAT-STD", 25))
    yield Stage.INVOICED
    posted = story.posted(story.charge(contract, "SEAT-STD"))
    for place in sorted(places, reverse=True):
        invoice = story.world.invoices[posted[-place].invoice_id]
        at = datetime.combine(invoice.day, time(11, 20), UTC)
        amount = local_price(Decimal(90), story.currency)
        key = put_override(story.world, invoice, _OVERRIDDEN, amount, at)
        story.resemble("recurring_override", OWN, "overrides", key, note)


TALES = (
    Tale(cases_in_good_hands, "USD", CLEAN_BATCH, ours=True),
    Tale(a_planned_review, "EUR", CLEAN_BATCH, ours=True),
    Tale(held_this_morning, "USD", CLEAN_BATCH, ours=True),
    Tale(posted_after_all, "GBP", CLEAN_BATCH, ours=True),
    Tale(overridden_twice, "USD", CLEAN_BATCH, ours=True),
    Tale(overridden_long_ago, "EUR", CLEAN_BATCH, ours=True),
    Tale(a_term_that_is_known_by_now, "JPY", CLEAN_BATCH, ours=True),
)
