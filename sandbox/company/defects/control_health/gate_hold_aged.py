"""The gate blocked an invoice weeks ago; it was neither mended nor released, and still waits as a draft."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.company.deals import Terms
from sandbox.company.documents import DRAFT
from sandbox.company.labels import OWN, Planted
from sandbox.company.own_records import put_hold
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "gate_hold_aged"


def held_since_its_run(story: Story) -> Plot:
    yield from _held(story, Terms("SEAT-STD", story.rng.randint(20, 90)), 4, 20)


def a_year_held(story: Story) -> Plot:
    yield from _held(story, Terms("PLATFORM-ENT", months=12), 13, 15)


def a_quarter_held(story: Story) -> Plot:
    yield from _held(story, Terms("SEAT-PRO", story.rng.randint(15, 70), months=3), 6, 28)


def reviewed_and_left(story: Story) -> Plot:
    """The hold was planned until a day that is over."""
    yield from _held(story, Terms("SUPPORT", 2), 5, 10, until_at=story.world.now - timedelta(days=3))


def _held(story: Story, terms: Terms, months_ago: int, bill_day: int, **columns: Any) -> Plot:
    contract = story.sell(months_ago, terms, bill_day=bill_day)
    yield Stage.INVOICED
    last = story.posted(story.charge(contract, terms.product))[-1]
    invoice = replace(story.world.invoices[last.invoice_id], status=DRAFT, posted_at=None)
    story.world.invoices[invoice.billing_id] = invoice
    held_at = invoice.created_at + timedelta(minutes=30)
    key, held = put_hold(story.world, invoice, held_at, **columns)
    note = f"held since {held_at:%Y-%m-%d}"
    story.plant(Planted(CHECK, OWN, "holds", key, held, story.currency, note))


TALES = (
    Tale(held_since_its_run, "USD", ours=True),
    Tale(a_quarter_held, "EUR", ours=True),
    Tale(a_year_held, "JPY", ours=True),
    Tale(reviewed_and_left, "GBP", ours=True),
)
