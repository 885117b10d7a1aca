"""What a unit on a meter costs by the list: an estimate for usage that no subscription prices.

A meter is priced by the product whose code, name or unit it bears; case, spaces, signs and a plural `s` do not
count, so the meter `api_calls` is the product `API-CALL`. The price list comes first, then the list prices on
contract lines, then the highest price that a subscription pays. Of several currencies, that of most lines wins.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.facts import subscribed

NEEDS = (
    Need("prices", "crm").where_filled(),
    Need("prices", "billing").where_filled(),
    Need("contract_lines", "crm").where_filled(),
    *(need.where_filled() for need in subscribed.NEEDS),
)


def name_of(text: ir.StringValue) -> ir.StringValue:
    """A meter's or product's name as it is compared."""
    return text.lower().re_replace("[^a-z0-9]", "").re_replace("s$", "")


def list_prices(books: Books) -> ir.Table:
    """`named`, `list_price` and `price_currency`: one row per name."""
    listed = books.table("prices", "crm").union(books.table("prices", "billing"))
    line = books.table("contract_lines", "crm").filter(lambda t: t.charge_type == "usage")
    sold = subscribed.LINES.table.filter(lambda t: t.charge_type == "usage")
    priced = (
        _by_name(listed, 0, listed.unit_price, "product_code", "unit")
        .union(_by_name(line, 1, line.list_price, "product_code"))
        .union(_by_name(sold, 2, sold.unit_price, "product_code", "name", "unit"))
    )
    priced = priced.filter(priced.price.notnull() & priced.currency.notnull() & (priced.named != ""))
    counted = priced.group_by("named", "basis", "currency").agg(list_price=priced.price.max(), lines=priced.count())
    order = [counted.basis, counted.lines.desc(), counted.currency]
    best = ibis.row_number().over(ibis.window(group_by=counted.named, order_by=order))
    chosen = counted.mutate(best=best).filter(lambda t: t.best == 0)
    return chosen.select("named", "list_price", price_currency="currency")


def _by_name(rows: ir.Table, basis: int, price: ir.DecimalValue, *columns: str) -> ir.Table:
    parts = [
        rows.select(named=name_of(rows[column]), basis=ibis.literal(basis), price=price, currency="currency")
        for column in columns
    ]
    whole, *others = parts
    return whole.union(*others) if others else whole
