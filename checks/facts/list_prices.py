"""What one unit of a product costs by the list, for each currency in which the list or a contract states it.

The price list comes first, then the list prices that stand on contract lines. Of several prices of one kind the
highest counts: a list price prices what nobody agreed on.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need

NEEDS = (
    Need("prices", "crm").where_filled(),
    Need("prices", "billing").where_filled(),
    Need("contract_lines", "crm").where_filled(),
)


def list_prices(books: Books) -> ir.Table:
    """`code`, `price_currency`, `list_price` and `list_months`, how many months it covers: one row per currency."""
    listed = books.table("prices", "crm").union(books.table("prices", "billing"))
    line = books.table("contract_lines", "crm")
    priced = _priced(listed, 0, listed.unit_price).union(_priced(line, 1, line.list_price))
    priced = priced.filter(priced.code.notnull() & priced.price_currency.notnull() & priced.list_price.notnull())
    best = ibis.row_number().over(
        group_by=[priced.code, priced.price_currency],
        order_by=[priced.basis, priced.list_price.desc(), priced.list_months],
    )
    return priced.mutate(best=best).filter(lambda t: t.best == 0).drop("best", "basis")


def _priced(rows: ir.Table, basis: int, price: ir.DecimalValue) -> ir.Table:
    return rows.select(
        code="product_code",
        basis=ibis.literal(basis),
        price_currency="currency",
        list_price=price,
        list_months=rows.price_months.fill_null(1),
    )
