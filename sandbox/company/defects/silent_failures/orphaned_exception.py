"""A case is open, and nobody has it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.company.amounts import local_price
from sandbox.company.labels import OWN, Planted
from sandbox.company.own_records import put_case
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "orphaned_exception"


def the_owner_has_left(story: Story) -> Plot:
    account = story.account()
    yield Stage.INVOICED
    said = {"owner": "gone.with.the.merger", "owner_active": False, "account_key": account.crm_id}
    _plant(story, "its owner has left and nobody stands in", **said)


def acknowledged_and_forgotten(story: Story) -> Plot:
    yield Stage.INVOICED
    last = story.world.now - timedelta(days=19)
    said = {"opened_at": last, "touched_at": last, "untouched_until": last + timedelta(days=6), "state": "acknowledged"}
    _plant(story, "acknowledged three weeks ago and not touched since", **said)


def never_assigned(story: Story) -> Plot:
    yield Stage.INVOICED
    _plant(story, "it has no owner at all", owner=None, owner_active=None, state="open")


def away_without_a_deputy(story: Story) -> Plot:
    yield Stage.INVOICED
    _plant(story, "its owner is away, and so is the deputy", owner="tom", owner_active=False)


def _plant(story: Story, note: str, **columns: Any) -> None:
    amount = local_price(Decimal(story.rng.randint(300, 9_000)), story.currency)
    key = put_case(story.world, amount, story.currency, **columns)
    story.plant(Planted(CHECK, OWN, "cases", key, amount, story.currency, note))


TALES = (
    Tale(the_owner_has_left, "USD", ours=True),
    Tale(acknowledged_and_forgotten, "EUR", ours=True),
    Tale(never_assigned, "JPY", ours=True),
    Tale(away_without_a_deputy, "GBP", ours=True),
)
