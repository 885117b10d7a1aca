"""Goods left that no invoice pays for."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sandbox.company.amounts import document, local_price
from sandbox.company.deals import Terms
from sandbox.company.delivering import Shipment, ship
from sandbox.company.labels import SHIPPING, Planted
from sandbox.company.stories import Plot, Stage, Story, Tale

CHECK = "shipped_not_billed"


def more_than_ordered(story: Story) -> Plot:
    """Four more routers were sent a month after the order, and never invoiced."""
    contract = story.sell(6, Terms("PLATFORM"), Terms("ROUTER", 12))
    yield Stage.INVOICED
    line = story.line(contract, "ROUTER")
    _plant(story, ship(story.world, line, 4, line.start + timedelta(days=45)), 4 * line.price, "four beyond the order")


def half_of_a_shipment(story: Story) -> Plot:
    """Two late shipments; what had been ordered beyond the first one pays for a part."""
    contract = story.sell(4, Terms("ROUTER", 9))
    yield Stage.INVOICED
    line = story.line(contract, "ROUTER")
    for days, quantity in ((40, 2), (52, 5)):
        sent = ship(story.world, line, quantity, line.start + timedelta(days=days))
        _plant(story, sent, quantity * line.price, f"{quantity} that nobody ordered and nobody returned")


def without_a_contract(story: Story) -> Plot:
    """Sold over the counter: the price is known to the warehouse alone."""
    contract = story.sell(9, Terms("PLATFORM"))
    yield Stage.INVOICED
    line = story.line(contract, "PLATFORM")
    sent = ship(story.world, line, 3, story.months_ago(1) + timedelta(days=3))
    price = local_price(Decimal(380), story.currency)
    bare = replace(sent, line_id=None, product_code="ROUTER", price=price)
    story.world.shipments[sent.key] = bare
    _plant(story, bare, 3 * price, "a customer without any order for them")


def _plant(story: Story, sent: Shipment, value: Decimal, note: str) -> None:
    amount = document(value, story.currency)
    story.plant(Planted(CHECK, SHIPPING, "shipments", sent.key, amount, story.currency, note))


TALES = (Tale(more_than_ordered, "USD"), Tale(half_of_a_shipment, "JPY"), Tale(without_a_contract, "GBP"))
