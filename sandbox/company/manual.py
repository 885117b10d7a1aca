"""What people and retried jobs do to invoices besides the billing runs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sandbox.company.amounts import document
from sandbox.company.billing import put_line
from sandbox.company.catalog import PRODUCTS
from sandbox.company.documents import InvoiceLine
from sandbox.company.model import Charge
from sandbox.company.periods import add_months
from sandbox.company.rating import Item, add_day
from sandbox.company.world import World

_LATER = timedelta(minutes=20)


def enter(world: World, invoice_id: str, product: str, kind: str, quantity: Decimal, price: Decimal) -> InvoiceLine:
    """A line typed into an invoice: no charge, no subscription, the invoice's day as its period."""
    invoice = world.invoices[invoice_id]
    account = world.accounts[invoice.account_id]
    amount = document(quantity * price, account.currency)
    line = InvoiceLine(
        billing_id=world.ids.billing("item"),
        invoice_id=invoice_id,
        charge_id=None,
        segment_id=None,
        subscription=None,
        product_code=product,
        name=PRODUCTS[product].name,
        kind=kind,
        quantity=quantity,
        price=price,
        amount=amount,
        tax=document(amount * account.tax_rate, account.currency),
        tax_code=account.tax_code,
        start=invoice.day,
        end=add_day(invoice.day),
        created_at=invoice.created_at + _LATER,
    )
    world.invoice_lines[line.billing_id] = line
    return line


def bill_slips(world: World, charge: Charge, hours: Sequence[int]) -> InvoiceLine:
    """Hours of the last months, of which only slips of paper tell, on the invoices of their contract. The last line."""
    contract_id = world.lines[charge.line_id].contract_id
    invoices = sorted((one for one in world.invoices.values() if one.contract_id == contract_id), key=lambda i: i.day)
    billed = [
        put_line(
            world,
            invoice,
            Item(charge, charge.segments[0], invoice.day, add_months(invoice.day, -1), invoice.day, Decimal(worked)),
        )
        for invoice, worked in zip(invoices[-len(hours) :], hours, strict=True)
    ]
    return billed[-1]


def repeat(world: World, line: InvoiceLine, invoice_id: str | None = None) -> InvoiceLine:
    """The same line once more, on the same invoice or on another one."""
    invoice = world.invoices[invoice_id or line.invoice_id]
    again = replace(
        line,
        billing_id=world.ids.billing("item"),
        invoice_id=invoice.billing_id,
        created_at=invoice.created_at + _LATER,
    )
    world.invoice_lines[again.billing_id] = again
    return again


def reverse(world: World, line: InvoiceLine, kind: str) -> InvoiceLine:
    """A line on the same invoice that takes the given one back."""
    undone = replace(repeat(world, line), kind=kind, quantity=-line.quantity, amount=-line.amount, tax=-line.tax)
    world.invoice_lines[undone.billing_id] = undone
    return undone


def retype(world: World, line: InvoiceLine, quantity: Decimal, price: Decimal) -> InvoiceLine:
    """The line with another quantity and price; its amount and tax follow in proportion."""
    amount = line.amount * quantity * price / (line.quantity * line.price)
    return bill_at(world, line, amount, quantity=quantity, price=price)


def bill_at(world: World, line: InvoiceLine, amount: Decimal | Fraction, **changes: Any) -> InvoiceLine:
    """The line at another amount, rounded, with its tax; `changes` are its other fields that differ."""
    account = world.accounts[world.invoices[line.invoice_id].account_id]
    billed = document(amount, account.currency)
    tax = document(billed * account.tax_rate, account.currency)
    changed = replace(line, amount=billed, tax=tax, **changes)
    world.invoice_lines[line.billing_id] = changed
    return changed
