"""Old prices that a migration kept, month by month, for ever."""

from dataclasses import replace
from decimal import Decimal

from sandbox.company.deals import Terms
from sandbox.company.labels import BILLING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "legacy_price_without_expiry"


def seats_at_the_old_price(story: Story) -> Plot:
    yield from _told(story, "SEAT-STD", story.rng.randint(30, 80), 60, 1)


def support_at_half_price(story: Story) -> Plot:
    yield from _told(story, "SUPPORT", 1, 50, 3)


def platform_at_the_old_price(story: Story) -> Plot:
    yield from _told(story, "PLATFORM", 2, 75, 1)


def _told(story: Story, product: str, quantity: int, percent: int, months: int) -> Plot:
    """A contract without an end, at so many percent of the list price, was carried over."""
    price = story.off_list(product, Decimal(percent) / 100)
    contract = story.sell(13, Terms(product, quantity, price, months), term=None)
    world = story.world
    world.carried_over.add(contract.account_id)
    yield Stage.PROVISIONED
    (old,) = world.legacy_lines.where(subscription=f"LS-{contract.number}")
    world.legacy_lines[old.key] = replace(old, grandfathered=True)
    # The ninth month since the cut-over has begun.
    lost = quantity * (story.line(contract, product).list_price - price) * 9
    charge = story.charge(contract, product)
    note = f"kept at {percent} % of the list price, without an end"
    story.plant(Planted(CHECK, BILLING, "subscription_lines", charge.billing_id, lost, story.currency, note))


TALES = (
    Tale(seats_at_the_old_price, "USD"),
    Tale(support_at_half_price, "EUR"),
    Tale(platform_at_the_old_price, "JPY"),
)
