"""What activated amendments change: contract lines that they add or revise, with the change of a year's amount.

An amendment changes the lines that were quoted on it. Where the CRM quotes nothing, it changes those rows of its
contract that revise a line from the day on which it takes effect.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks import terms
from checks.amounts import per_year
from checks.contract import Need
from checks.relation import Relation

NEEDS = (
    Need("amendments", "crm"),
    *terms.NEEDS,
    Need("quote_lines", "crm").where_filled(),
)


def activated(books: Books) -> ir.Table:
    """Amendments of the CRM that have been activated."""
    known = books.table("amendments", "crm")
    return known.filter(known.status == "activated")


def _rows(books: Books) -> ir.Table:
    """One row per amendment and contract row that it adds or revises; lines that are never billed are left out.

    `yearly` is the change of a year's amount, `after` the quantity of the line from `starts` on, and `next_change`
    the day of the next change of the same line, null where none follows.
    """
    agreed = _priced()
    amendment = activated(books).select(
        a_system="system", amendment="key", a_contract="contract_key", effective="effective_date"
    )
    quoted = books.table("quote_lines", "crm").select(q_system="system", q_key="key", quote_key="quote_key")
    by_quote = agreed.inner_join(quoted, [agreed.system == quoted.q_system, agreed.quote_line_key == quoted.q_key])
    by_quote = by_quote.inner_join(
        amendment, [by_quote.system == amendment.a_system, by_quote.quote_key == amendment.amendment]
    )
    by_day = agreed.filter(agreed.quote_line_key.isnull() & (agreed.own_key != agreed.row_key))
    by_day = by_day.inner_join(
        amendment,
        [
            by_day.system == amendment.a_system,
            by_day.contract_key == amendment.a_contract,
            by_day.starts == amendment.effective,
        ],
    )
    wanted = ("system", "amendment", "base_key", "own_key", "row_key", "starts", "yearly", "after", "next_change")
    return by_quote.select(*wanted).union(by_day.select(*wanted)).distinct()


def _priced() -> ir.Table:
    agreed = terms.ROWS.table
    line = terms.LINES.table
    line = line.filter(line.billable & (line.charge_type == "recurring"))
    line = line.select(l_system="system", l_key="key", contract_key="contract_key")
    agreed = agreed.inner_join(line, [agreed.system == line.l_system, agreed.own_key == line.l_key])
    of_line = {"group_by": [agreed.system, agreed.own_key], "order_by": [agreed.starts, agreed.row_key]}
    return agreed.mutate(
        yearly=per_year(agreed.quantity, agreed.unit_price, agreed.price_months),
        after=agreed.quantity.sum().over(ibis.cumulative_window(**of_line)),
        next_change=agreed.starts.lead().over(ibis.window(**of_line)),
    )


ROWS = Relation("amended_rows", _rows)
