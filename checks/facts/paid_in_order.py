"""What was invoiced for things that were delivered one by one: it pays for the earliest first.

A delivery is billed under a place (`at`): a contract line, else the customer's product (`account/product`), or an
invoice line that it names itself (`item/key`). All invoiced amounts of a place together pay for its deliveries in
their order, so that a partial invoice leaves the last ones open.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic import fx
from checks.arithmetic.amounts import known_sum
from checks.facts import billed
from checks.rows import collected, reference, some

EXACT = "decimal(38, 8)"
_SAME = ("at", "currency")


def line_named(key: ir.StringValue) -> ir.StringValue:
    """The place of a delivery that names its invoice line; null where it names none."""
    return "item/" + key


def with_paid(books: Books, goods: ir.Table, *order: str, taken: ir.Table | None = None) -> ir.Table:
    """`goods` (with `at`, `currency` and `value`) with what was invoiced for them, in their currency.

    `billed` is all that was invoiced for the place, `earlier` what the deliveries before it take of that, `invoices`
    the evidence. `billed` is null where a rate is unknown. `taken` are keys (`line_key`) of invoice lines that pay for
    the deliveries that name them, and for no others.
    """
    before = ibis.window(
        group_by=[goods[name] for name in _SAME], order_by=[goods[name] for name in order], preceding=(None, 1)
    )
    goods = goods.mutate(earlier=goods.value.sum().over(before).fill_null(0).cast(EXACT))
    paid = _invoiced(books, goods, taken)
    rows = goods.left_join(paid, list(_SAME)).drop("at_right", "currency_right")
    nothing = ibis.literal(0).cast(EXACT)
    return rows.mutate(billed=rows.lines.isnull().ifelse(nothing, rows.invoiced), invoices=some(rows.lines)).drop(
        "lines", "invoiced"
    )


def _invoiced(books: Books, goods: ir.Table, taken: ir.Table | None) -> ir.Table:
    line = billed.LINES.table.filter(lambda t: t.kind != "tax")
    wanted = {"b_currency": "currency", "b_system": "system", "b_key": "key"}
    places = [line.contract_line_key, line.account_key + "/" + line.product_code]
    named = line.select("amount", "invoice_date", at=line_named(line.key), **wanted)
    free = line if taken is None else line.anti_join(taken, line.key == taken.line_key)
    for place in places:
        named = named.union(free.select("amount", "invoice_date", at=place, **wanted))
    both = goods.select(*_SAME).distinct().inner_join(named, "at")
    rated = fx.with_rate(books, both, "b_currency", "currency", "invoice_date")
    value = fx.converted(rated.amount, rated.rate)
    return rated.group_by(_SAME).agg(
        invoiced=known_sum(value, EXACT),
        lines=collected(reference(rated.b_system, "invoice_lines", rated.b_key)),
    )
