"""What activated amendments change: contract lines that they add or revise, with the change of a year's amount.

An amendment changes the lines that were quoted on it. Where the CRM quotes nothing, it changes those rows of its
contract that revise a line from the day on which it takes effect.
"""

import ibis
import ibis.expr.types as ir

from books.money import product
from books.reading import Books
from checks.arithmetic.amounts import per_year
from checks.contract import Need
from checks.facts import terms
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
    the day of the next change of the same line, null where none follows. `at` is the billed line. An amendment
    that only says a monthly change has one row without a line, and `at` is its contract.
    """
    agreed = _priced()
    amendment = activated(books)
    brief = amendment.select(a_system="system", amendment="key", a_contract="contract_key", effective="effective_date")
    quoted = books.table("quote_lines", "crm").select(q_system="system", q_key="key", quote_key="quote_key")
    by_quote = agreed.inner_join(quoted, [agreed.system == quoted.q_system, agreed.quote_line_key == quoted.q_key])
    by_quote = by_quote.inner_join(brief, [by_quote.system == brief.a_system, by_quote.quote_key == brief.amendment])
    by_day = agreed.filter(agreed.quote_line_key.isnull() & (agreed.own_key != agreed.row_key))
    by_day = by_day.inner_join(
        brief,
        [
            by_day.system == brief.a_system,
            by_day.contract_key == brief.a_contract,
            by_day.starts == brief.effective,
        ],
    )
    wanted = ("system", "amendment", "at", "row_key", "starts", "yearly", "after", "next_change", "currency", "ends")
    lines = by_quote.select(*wanted).union(by_day.select(*wanted)).distinct()
    said = amendment.mutate(
        amendment=amendment.key,
        at=amendment.contract_key,
        row_key=ibis.null("string"),
        starts=amendment.effective_date,
        yearly=product(amendment.monthly_delta, ibis.literal(12)),
        after=ibis.null(lines.after.type()),
        next_change=ibis.null("date"),
        ends=ibis.null("date"),
    ).anti_join(lines.select("system", "amendment").distinct(), ["system", "amendment"])
    return lines.union(said.filter(said.yearly.notnull()).select(*wanted))


def _priced() -> ir.Table:
    agreed = terms.ROWS.table
    line = terms.LINES.table
    line = line.filter(line.billable & (line.charge_type == "recurring"))
    line = line.select(l_system="system", l_key="key", contract_key="contract_key", currency="currency")
    agreed = agreed.inner_join(line, [agreed.system == line.l_system, agreed.own_key == line.l_key])
    of_line = {"group_by": [agreed.system, agreed.own_key], "order_by": [agreed.starts, agreed.row_key]}
    return agreed.mutate(
        at=agreed.base_key,
        ends=agreed.until,
        yearly=per_year(agreed.quantity, agreed.unit_price, agreed.price_months),
        after=agreed.quantity.sum().over(ibis.cumulative_window(**of_line)),
        next_change=agreed.starts.lead().over(ibis.window(**of_line)),
    )


ROWS = Relation("amended_rows", _rows)
