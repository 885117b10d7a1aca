"""Discounts that are granted for a time, and what billing takes off for them.

One holds for every billing period on whose first day it is in force, as a whole. Billing has a line of its own for
each, beside the line that it reduces.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sandbox.company.amounts import document
from sandbox.company.documents import DISCOUNT, InvoiceLine
from sandbox.company.model import ContractLine, Discount
from sandbox.company.periods import period_of
from sandbox.company.world import World


def grant(
    world: World,
    line: ContractLine,
    name: str,
    rate: Decimal | None,
    amount: Decimal | None,
    start: date,
    end: date | None,
    *,
    stackable: bool = True,
) -> Discount:
    """A fraction, or so much for each billing period, off a line; billing takes it off as long as it holds."""
    made = Discount(world.ids.crm("discount"), line.crm_id, name, rate, amount, start, end, end, stackable)
    world.discounts[made.crm_id] = made
    return made


def take_off(world: World, line: InvoiceLine) -> None:
    """Put the discounts that billing applies beside a charge, and take them back beside its credit."""
    if line.charge_id is None:
        return
    account = world.accounts[world.invoices[line.invoice_id].account_id]
    charge = world.charges[line.charge_id]
    period = max(period_of(line.start, charge.anchor, charge.billing_months)[0], charge.start)
    for discount in world.discounts.where(line_id=charge.line_id):
        if charge.seat_overage or not discount.is_applied_on(period):
            continue
        off = line.amount * discount.rate if discount.rate else discount.amount or Decimal(0)
        off = document(off, account.currency)
        made = replace(
            line,
            billing_id=world.ids.billing("item"),
            name=discount.name,
            kind=DISCOUNT,
            quantity=Decimal(1),
            price=-off,
            amount=-off,
            tax=-document(off * account.tax_rate, account.currency),
        )
        world.invoice_lines[made.billing_id] = made
