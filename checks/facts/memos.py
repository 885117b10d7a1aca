"""Credit memos, each once: those of the billing platform, and those that were entered in the ERP alone.

The ERP's copy of a memo names the platform's number of it, or its key; one that names no memo is the copy of that on
the same invoice with the same amount. Memos that are void or failed are left out;
drafts count. Amounts are positive and with tax.
"""

import ibis
import ibis.expr.types as ir

from books.reading import Books
from checks.contract import Need
from checks.relation import Relation

NEEDS = (Need("credit_memos", "billing").where_filled(), Need("credit_memos", "erp").where_filled())
_NOT_LIVE = ("void", "cancelled", "canceled", "error")
_COLUMNS = (
    "system", "key", "account_key", "number", "status", "invoice_key", "contract_key", "amount", "tax", "currency",
    "memo_date", "reason", "reason_code", "approved_by", "campaign", "rebill_key", "modified_at",
)  # fmt: skip


def _memos(books: Books) -> ir.Table:
    """One row per memo, keyed by (system, key)."""
    own, copies = _live(books, "billing"), _named(books)
    theirs = _live(books, "erp")
    alone = theirs.anti_join(copies, [theirs.system == copies.c_system, theirs.key == copies.c_key])
    return own.select(*_COLUMNS).union(alone.select(*_COLUMNS))


def _known_as(books: Books) -> ir.Table:
    """(system, key) of each memo with a key or number by which documents of the ERP may name it, as `name`."""
    memo = MEMOS.table
    own = memo.select("system", "key", name="key").union(memo.select("system", "key", name="number"))
    copies = _named(books).select(system="m_system", key="m_key", name="c_key")
    named = own.union(copies)
    return named.filter(named.name.notnull()).distinct()


def _named(books: Books) -> ir.Table:
    """The ERP's copies (c_system, c_key) of the platform's memos (m_system, m_key)."""
    own, theirs = _live(books, "billing"), _live(books, "erp")
    by_number = own.select(m_system="system", m_key="key", m_name="number")
    by_key = own.select(m_system="system", m_key="key", m_name="key")
    said = theirs.select(c_system="system", c_key="key", m_name="billing_key")
    said = said.inner_join(by_number.union(by_key).distinct(), "m_name").drop("m_name")
    return said.union(_alike(books, own, theirs)).distinct()


def _alike(books: Books, own: ir.Table, theirs: ir.Table) -> ir.Table:
    """The same for memos of the ERP that name no memo: of the same invoice and amount."""
    same = ("on_invoice", "amount", "currency")
    invoice = books.table("invoices", "billing").select(i_system="system", i_key="key", i_number="number")
    by_key = own.select(m_system="system", m_key="key", on_invoice="invoice_key", amount="amount", currency="currency")
    by_number = own.inner_join(invoice, [own.system == invoice.i_system, own.invoice_key == invoice.i_key])
    by_number = by_number.select(
        m_system="system", m_key="key", on_invoice="i_number", amount="amount", currency="currency"
    )
    silent = theirs.filter(theirs.billing_key.isnull() & theirs.invoice_key.notnull())
    silent = silent.select(
        c_system="system", c_key="key", on_invoice="invoice_key", amount="amount", currency="currency"
    )
    return silent.inner_join(by_key.union(by_number).distinct(), list(same)).select(
        "c_system", "c_key", "m_system", "m_key"
    )


def _live(books: Books, role: str) -> ir.Table:
    memos = books.table("credit_memos", role)
    return memos.filter(~memos.status.fill_null("posted").isin(_NOT_LIVE))


MEMOS = Relation("credit_memos_once", _memos)
KNOWN_AS = Relation("credit_memo_names", _known_as)


def converted_to(limit_currency: str) -> ir.Table:
    """The memos with a constant column `limit_currency`, for limits that are said in one currency."""
    return MEMOS.table.mutate(limit_currency=ibis.literal(limit_currency))
