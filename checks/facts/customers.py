"""Which accounts are customers: test accounts owe nothing, so nothing is missing on them."""

import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need

NEEDS = (Need("accounts", "crm").where_filled(), Need("accounts", "billing").where_filled())


def of_customers(books: Books, rows: ir.Table) -> ir.Table:
    """`rows` without those of accounts that any system marks as a test."""
    known = books.table("accounts", "crm").union(books.table("accounts", "billing"))
    tests = known.filter(known.is_test).select(test_key="account_key")
    return rows.anti_join(tests, rows.account_key == tests.test_key)
