"""Goods were shipped and not invoiced, or invoiced for less than the contract price.

Why it matters: the goods have left and the cost is booked, but no receivable stands against it.

Usual cause: the shipment was confirmed outside the order, the invoice trigger failed, or a price was lost between
the order and the invoice.

How to fix: invoice what was shipped at the contract price. If it was a replacement, a consignment or a return, set
the status of the shipment so that it is not expected to be billed.

What it is not: a return, a replacement, a consignment or a back order that has not left, goods that were invoiced
earlier or on one invoice for several shipments, or a shipment within the days that its invoice may take.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import half_unit
from checks.arithmetic.periods import days_later, midnight
from checks.contract import (
    Arithmetic,
    Check,
    Mode,
    MoneyKind,
    Need,
    Owner,
    Params,
    Pattern,
    Scope,
    Setting,
    Severity,
    Spans,
    Tolerance,
)
from checks.facts import billed, terms
from checks.facts.customers import NEEDS as CUSTOMER_NEEDS
from checks.facts.customers import of_customers
from checks.facts.paid_in_order import with_paid
from checks.rows import candidates, listed, reference


def find(books: Books, params: Params) -> ir.Table:
    """Shipments in the order in which they left; what was invoiced pays for the earliest first."""
    goods = _shipped(books, params.texts("not_sold"))
    goods = goods.mutate(value=product(goods.quantity, goods.price))
    rows = with_paid(books, goods, "shipped_date", "key")
    short = rows.earlier + rows.value - rows.billed
    off = rows.filter((short > half_unit(rows.currency)).fill_null(True))
    seen = listed(
        reference(off.system, "shipments", off.key),
        reference(off.system, "order_lines", off.order_line_key),
        reference(off.l_system, "contract_lines", off.l_key),
    )
    return candidates(
        off,
        "shipments",
        "product_code",
        "shipped_date",
        subject=off.key,
        evidence=seen.concat(off.invoices),
        fails_from=midnight(days_later(off.shipped_date, params.whole("settle_days"))),
        known_at=off.modified_at,
        quantity=off.quantity,
        unit_price=off.price,
        billed=off.billed,
        earlier=off.earlier,
    )


def _shipped(books: Books, not_sold: tuple[str, ...]) -> ir.Table:
    """Sold shipments with what they are billed under (`at`) and the agreed price: contract, order, then shipment."""
    sent = books.table("shipments", "shipping")
    sent = of_customers(books, sent.filter(~sent.status.fill_null("").lower().isin(not_sold)))
    order = books.table("order_lines", "shipping").select(
        o_system="system", o_key="key", o_line="contract_line_key", o_price="unit_price", o_currency="currency"
    )
    joined = sent.left_join(order, [sent.system == order.o_system, sent.order_line_key == order.o_key])
    joined = joined.mutate(line=ibis.coalesce(joined.contract_line_key, joined.o_line))
    agreed = terms.LINES.table.select(
        l_system="system", l_key="key", l_price="unit_price", l_currency="currency", l_account="account_key"
    )
    joined = joined.left_join(agreed, joined.line == agreed.l_key)
    account = ibis.coalesce(joined.account_key, joined.l_account)
    return joined.mutate(
        account_key=account,
        at=ibis.coalesce(joined.line, account + "/" + joined.product_code, joined.key),
        price=ibis.coalesce(joined.l_price, joined.o_price, joined.unit_price),
        currency=ibis.coalesce(joined.l_currency, joined.o_currency, joined.currency),
    ).drop("o_system", "o_key")


CHECK = Check(
    id="shipped_not_billed",
    doc=__doc__,
    pattern=Pattern.DELIVERED_NOT_BILLED,
    severity=Severity.S1,
    owners=(Owner.BILLING_OPS, Owner.FINANCE_OPS),
    mode=Mode.WARN,
    scope=Scope.RUN,
    kind=MoneyKind.LEAK,
    spans=Spans.ACCOUNT,
    needs=(
        Need("shipments", "shipping"),
        Need("order_lines", "shipping").where_filled(),
        *billed.NEEDS,
        *(need.where_filled() for need in terms.LINE_NEEDS),
        *fx.NEEDS,
        *CUSTOMER_NEEDS,
    ),
    settings=(
        Setting("settle_days", 5, "Days after the shipment within which its invoice is made."),
        Setting(
            "not_sold",
            ("backorder", "cancelled", "consignment", "replacement", "returned"),
            "Shipments with these states are not sales yet, or never will be.",
        ),
    ),
    tolerance=Tolerance(absolute=Decimal("0.01")),
    absent_from=Need("invoice_lines", "billing"),
    arithmetic=Arithmetic.of("quantity * unit_price", "max(0, min(quantity * unit_price, billed - earlier))"),
    message=(
        "{quantity} of {product_code} left on {shipped_date} at {unit_price} each, worth {expected} {currency}; "
        "{actual} of it was invoiced."
    ),
    find=find,
)
