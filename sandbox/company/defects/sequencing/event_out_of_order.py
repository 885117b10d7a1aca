"""Billing applied an older event after a newer one, and the older one stands."""

from dataclasses import replace
from datetime import timedelta

from sandbox.company.amending import change
from sandbox.company.amounts import document
from sandbox.company.deals import Terms
from sandbox.company.handing_over import applied
from sandbox.company.labels import AUDIT, BILLING, CRM, Consequence, Planted
from sandbox.company.model import Charge, Contract, Version
from sandbox.company.periods import add_months
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "event_out_of_order"


def seats_sent_again(story: Story) -> Plot:
    """A message of three months ago was sent again yesterday, after the change that takes effect today."""
    yield from _sent_again(story, Terms("SEAT-STD", story.rng.randint(60, 120)), 8)


def quarterly_seats_sent_again(story: Story) -> Plot:
    yield from _sent_again(story, Terms("SEAT-PRO", story.rng.randint(20, 50), months=3), 6)


def activated_after_its_cancellation(story: Story) -> Plot:
    """Cancelled for the end of the month; the activation, which had hung in a queue, came a day later."""
    contract = story.sell(7, Terms("PLATFORM", 2))
    ends = add_months(story.today, 1)
    yield Stage.INVOICED
    charge = story.charge(contract, "PLATFORM")
    record = ("Subscription", charge.subscription, "Status")
    applied(story.world, contract.account_id, record, 2, "Cancelled", timedelta(days=6), ends)
    late = applied(story.world, contract.account_id, record, 1, "Active", timedelta(days=5), contract.start)
    amount = document(2 * charge.price, story.currency)
    story.plant(
        Planted(CHECK, AUDIT, "record_changes", late.change_id, amount, story.currency, "cancelled, then active")
    )


def renewed_before_a_pending_amendment(story: Story) -> Plot:
    """The renewal was applied first, and the amendment that had been signed before it to the renewed version."""
    contract = story.sell(10, Terms("SEAT-VIEW", story.rng.randint(80, 160)), term=36)
    line = story.line(contract, "SEAT-VIEW")
    made = change(story.deals, line, 25, story.months_ago(2))
    yield Stage.PROVISIONED
    charge = story.charge(contract, "SEAT-VIEW")
    amendment_id = _renewed_first(story, contract, charge)
    yield Stage.INVOICED
    amount = document((line.quantity + made.delta) * charge.price, story.currency)
    note = "a renewal with the number 2 was applied before the amendment with the number 1"
    story.plant(Planted(CHECK, BILLING, "amendments", amendment_id, amount, story.currency, note))


def _sent_again(story: Story, terms: Terms, began: int) -> Plot:
    """The draft bills the quantity of the older event."""
    contract = story.sell(began, terms)
    line = story.line(contract, terms.product)
    older = change(story.deals, line, 9, story.months_ago(3))
    newer = change(story.deals, line, 14, story.today)
    yield Stage.PROVISIONED
    charge = story.charge(contract, terms.product)
    *before, last = charge.segments
    stale = replace(last, quantity=before[-1].quantity)
    worth = document(newer.delta * charge.price * charge.billing_months, story.currency)
    yield Stage.INVOICED
    story.world.charges[charge.billing_id] = replace(charge, segments=(*before, stale))
    record = ("RatePlanCharge", charge.number, "Seats")
    applied(
        story.world, contract.account_id, record, 7, str(last.quantity), timedelta(days=4), newer.effective,
        worth=(worth, story.currency),
    )  # fmt: skip
    late = applied(story.world, contract.account_id, record, 6, str(stale.quantity), timedelta(days=1), older.effective)
    behind = Consequence("order_lines_missing_in_billing", CRM, "contract_lines", line.crm_id)
    unfollowed = Consequence("amendment_without_billing_schedule", CRM, "amendments", newer.amendment_id)
    note = f"{stale.quantity} seats were sent again after {last.quantity}"
    story.plant(
        Planted(
            CHECK, AUDIT, "record_changes", late.change_id, worth, story.currency, note, also=(behind, unfollowed)
        )
    )  # fmt: skip


def _renewed_first(story: Story, contract: Contract, charge: Charge) -> str:
    """Put a renewal before the version of the amendment; returns the id of billing's copy of the amendment."""
    world = story.world
    subscription = world.subscriptions[contract.crm_id]
    first, amended = subscription.versions
    renewal = Version(
        world.ids.billing("subscription"),
        world.ids.billing("rate_plan"),
        2,
        amended.created_at - timedelta(hours=1),
        add_months(contract.start, 24),
        "Renewal",
        world.ids.billing("amendment"),
        sequence=2,
    )
    later = replace(amended, number=3, sequence=1)
    world.subscriptions[contract.crm_id] = replace(subscription, versions=(first, renewal, later))
    segments = tuple(replace(s, version=3) if s.version == 2 else s for s in charge.segments)
    world.charges[charge.billing_id] = replace(charge, segments=segments)
    assert amended.amendment_id is not None, "only the first version was made by no amendment"
    return amended.amendment_id


TALES = (
    Tale(seats_sent_again, "USD"),
    Tale(activated_after_its_cancellation, "EUR"),
    Tale(renewed_before_a_pending_amendment, "GBP"),
    Tale(quarterly_seats_sent_again, "JPY"),
)
