"""What a customer agreed to: contract lines with the changes that revise them, as they stand on a date.

A base line holds until it ends, until its contract ends, or until a contract that amends it begins. Each row
that revises it adds its quantity, from its own start on. A bundle's component is sold as a line of its own but
billed with the bundle: it counts towards the line whose product code is its roll-up code, in the same contract,
unless billing has a line for the component itself.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.arithmetic.periods import FOREVER
from checks.contract import Need
from checks.relation import Relation

NEEDS = (
    Need("contract_lines", "crm"),
    Need("contracts", "crm"),
    Need("products", "crm").where_filled(),
    Need("subscription_lines", "billing").where_filled(),
)


def _contracts(books: Books) -> ir.Table:
    """Contracts that were activated at some time. `ends_on` is the end or the start of the contract that amends it."""
    activated = _activated(books)
    amending = (
        activated.filter(activated.amends_key.notnull())
        .group_by(by_system="system", by_key="amends_key")
        .agg(amended_on=lambda t: t.start_date.min())
    )
    joined = activated.left_join(amending, [activated.system == amending.by_system, activated.key == amending.by_key])
    ends = ibis.least(joined.end_date.fill_null(FOREVER), joined.amended_on.fill_null(FOREVER))
    return joined.mutate(ends_on=ends).select(
        "system", "key", "account_key", "status", "start_date", "end_date", "ends_on", "currency", "opportunity_key",
        "cancelled_date", "auto_bills_overage", "payment_terms", "po_required", "modified_at",
    )  # fmt: skip


def _activated(books: Books) -> ir.Table:
    known = books.table("contracts", "crm")
    return known.filter(known.status.fill_null("activated") != "draft")


CONTRACTS = Relation("agreed_contracts", _contracts)


def _lines(books: Books) -> ir.Table:
    """Base lines of activated contracts, keyed by (system, key).

    `ends_on` (FOREVER where nothing ends it) does not know of cancellations; `cancelled_on` is the first day that
    a cancellation no longer covers. A line that does not say is billable and recurs; a missing price span or
    billing frequency is a month.
    """
    line = books.table("contract_lines", "crm")
    line = line.filter(line.revises_key.isnull())
    contract = CONTRACTS.table.select(
        c_system="system",
        c_key="key",
        c_account="account_key",
        c_currency="currency",
        c_start="start_date",
        c_ends="ends_on",
        c_cancelled="cancelled_date",
        auto_bills_overage="auto_bills_overage",
        opportunity_key="opportunity_key",
    )
    joined = line.inner_join(contract, [line.system == contract.c_system, line.contract_key == contract.c_key])
    return joined.mutate(
        account_key=ibis.coalesce(joined.account_key, joined.c_account),
        charge_type=joined.charge_type.fill_null("recurring"),
        billable=joined.billable.fill_null(True),
        currency=ibis.coalesce(joined.currency, joined.c_currency),
        price_months=joined.price_months.fill_null(1),
        billing_months=ibis.coalesce(joined.billing_months, joined.price_months, 1),
        start_date=ibis.coalesce(joined.start_date, joined.c_start),
        term_start=ibis.coalesce(joined.c_start, joined.start_date),
        ends_on=ibis.least(joined.end_date.fill_null(FOREVER), joined.c_ends),
        cancelled_on=ibis.least(joined.terminated_date.fill_null(FOREVER), joined.c_cancelled.fill_null(FOREVER)),
    ).select(
        "system", "key", "account_key", "contract_key", "product_code", "quote_line_key", "quantity", "unit_price",
        "price_months", "list_price", "currency", "charge_type", "billable", "billing_months", "billing_timing",
        "start_date", "term_start", "ends_on", "cancelled_on", "free_until", "included_quantity", "overage_price",
        "overage_measure", "auto_bills_overage", "opportunity_key", "modified_at",
    )  # fmt: skip


LINES = Relation("agreed_lines", _lines)


def _rows(books: Books) -> ir.Table:
    """What counts towards each billed line: the line itself, its revisions, and its bundle's components.

    One row per contract_lines row: `base_key` is the line that is billed, `own_key` the base line of the row,
    [`begins`, `until`) the days on which the row counts (`begins` never before a free period ends), and
    `same_price` whether the row is priced as the billed line is.
    """
    base = LINES.table
    billed_as = _billed_as(books, base)
    base = base.left_join(billed_as, [base.system == billed_as.part_system, base.key == billed_as.part_key]).mutate(
        base_key=lambda t: ibis.coalesce(t.whole_key, t.key)
    )
    own = base.mutate(
        own_key=base.key, row_key=base.key, begins=_begins(base, base.start_date), until=base.ends_on,
        starts=base.start_date,
    ).select(
        "system", "base_key", "own_key", "row_key", "quantity", "unit_price", "price_months", "quote_line_key",
        "begins", "until", "starts", "cancelled_on", "modified_at",
    )  # fmt: skip
    revisions = _revisions(books, base)
    both = own.union(revisions.select(*own.columns))
    priced = base.select(p_system="system", p_key="key", p_price="unit_price", p_months="price_months")
    joined = both.inner_join(priced, [both.system == priced.p_system, both.base_key == priced.p_key])
    same = (joined.unit_price == joined.p_price) & (joined.price_months == joined.p_months)
    return joined.mutate(same_price=same).drop("p_system", "p_key", "p_price", "p_months")


def _revisions(books: Books, base: ir.Table) -> ir.Table:
    change = books.table("contract_lines", "crm").filter(lambda t: t.revises_key.notnull())
    revised = base.select(
        r_system="system", own_key="key", base_key="base_key", free_until="free_until", ends="ends_on",
        cancelled_on="cancelled_on", r_price="unit_price", r_months="price_months",
    )  # fmt: skip
    joined = change.drop("free_until").inner_join(
        revised, [change.system == revised.r_system, change.revises_key == revised.own_key]
    )
    # A cancellation is often written as a change to nothing; it is known from the base line already.
    joined = joined.filter(joined.start_date < joined.cancelled_on)
    return joined.mutate(
        row_key=joined.key,
        unit_price=ibis.coalesce(joined.unit_price, joined.r_price),
        price_months=ibis.coalesce(joined.price_months, joined.r_months),
        begins=_begins(joined, joined.start_date),
        until=ibis.least(joined.end_date.fill_null(FOREVER), joined.ends),
        starts=joined.start_date,
    )


def _begins(rows: ir.Table, start: ir.DateValue) -> ir.DateValue:
    return ibis.greatest(start, rows.free_until.fill_null(start))


def _billed_as(books: Books, base: ir.Table) -> ir.Table:
    """(part_system, part_key) of bundle components, with the line that they are billed with as `whole_key`."""
    product = books.table("products", "crm")
    product = product.filter(product.rollup_code != product.code)
    product = product.select(pr_system="system", pr_code="code", rollup_code="rollup_code").distinct()
    whole = base.group_by(w_system="system", w_contract="contract_key", w_code="product_code").agg(
        whole_key=base.key.min()
    )
    charged = books.table("subscription_lines", "billing").select(own_line="contract_line_key").distinct()
    part = base.select("system", "key", "contract_key", "product_code")
    part = part.inner_join(product, [part.system == product.pr_system, part.product_code == product.pr_code])
    part = part.anti_join(charged, part.key == charged.own_line)
    part = part.inner_join(
        whole,
        [
            part.system == whole.w_system,
            part.contract_key == whole.w_contract,
            part.rollup_code == whole.w_code,
        ],
    )
    return part.select(part_system="system", part_key="key", whole_key="whole_key")


ROWS = Relation("agreed_rows", _rows)
