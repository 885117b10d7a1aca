"""Run after run, the same check is overridden for the same customer."""

from datetime import UTC, datetime, time
from decimal import Decimal

from sandbox.company.amounts import local_price
from sandbox.company.deals import Terms
from sandbox.company.labels import OWN, Planted
from sandbox.company.own_records import put_override
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "recurring_override"


def three_months_in_a_row(story: Story) -> Plot:
    yield from _overridden(story, 1, 6, "pricing_drift", (1, 2, 3))


def every_month_but_one(story: Story) -> Plot:
    yield from _overridden(story, 1, 8, "discount_over_limit_unapproved", (1, 2, 4, 5))


def three_quarters(story: Story) -> Plot:
    yield from _overridden(story, 3, 14, "contract_terms_vs_billing", (1, 2, 3))


def _overridden(story: Story, months: int, months_ago: int, check: str, places: tuple[int, ...]) -> Plot:
    """`places` count back from the last invoice that was posted."""
    contract = story.sell(months_ago, Terms("SEAT-STD", story.rng.randint(10, 60), months=months))
    yield Stage.INVOICED
    posted = story.posted(story.charge(contract, "SEAT-STD"))
    total, key = Decimal(0), ""
    for place in sorted(places, reverse=True):
        invoice = story.world.invoices[posted[-place].invoice_id]
        amount = local_price(Decimal(story.rng.randint(20, 400)), story.currency)
        at = datetime.combine(invoice.day, time(11, 20), UTC)
        key = put_override(story.world, invoice, check, amount, at)
        total += amount
    note = f"{check} overridden in {len(places)} of the last runs"
    story.plant(Planted(CHECK, OWN, "overrides", key, total, story.currency, note))


TALES = (
    Tale(three_months_in_a_row, "USD", ours=True),
    Tale(every_month_but_one, "EUR", ours=True),
    Tale(three_quarters, "JPY", ours=True),
    Tale(three_months_in_a_row, "GBP", ours=True),
)
